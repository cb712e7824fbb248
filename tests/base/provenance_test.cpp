// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the weakest part of a source decide, and is only what was read called published?
#include "base/provenance.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

TEST(ProvenanceTest, EveryTagIsReadAsItself) {
  for (const ProvenanceTerm& term : kProvenanceTerms) {
    EXPECT_EQ(tag_of(term.provenance), term.tag);
    EXPECT_EQ(provenance_of(term.tag), term.provenance);
    EXPECT_EQ(provenance_of(std::string(term.tag) + ":somewhere"), term.provenance);
  }
}

TEST(ProvenanceTest, TheWeakestPartDecides) {
  EXPECT_EQ(provenance_of("Q:area10.26;A:asp1.46"), Provenance::kAssumed);
  EXPECT_EQ(provenance_of("A;Q"), Provenance::kAssumed);
  EXPECT_EQ(provenance_of("Q;Q2:table 3"), Provenance::kTranscribed);
}

TEST(ProvenanceTest, WhatBeginsWithNoTagHasNone) {
  EXPECT_FALSE(provenance_of(""));
  EXPECT_FALSE(provenance_of("Q3:x"));
  EXPECT_FALSE(provenance_of("Q:x;"));
  EXPECT_FALSE(provenance_of("my notebook"));
}

TEST(ProvenanceTest, TheUnknownIsWeakerThanAnyGuess) {
  EXPECT_EQ(provenance_of("-:nothing published"), Provenance::kUnknown);
  EXPECT_EQ(provenance_of("A;-"), Provenance::kUnknown);
  EXPECT_FALSE(is_known({0.0, "-", Provenance::kUnknown}));
  EXPECT_TRUE(is_known({0.0, "A", Provenance::kAssumed})) << "a zero is a value";
}

TEST(ProvenanceTest, OnlyWhatWasReadIsPublished) {
  for (const ProvenanceTerm& term : kProvenanceTerms) {
    EXPECT_EQ(is_published(term.provenance), term.tag == "Q" || term.tag == "Q2") << term.tag;
  }
}

}  // namespace
}  // namespace tilestrike
