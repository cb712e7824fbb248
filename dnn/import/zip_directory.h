// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The directory of a zip file, for the checksums that LibTorch's reader does not look at.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace tilestrike::dnn {

/// The CRC-32 of each entry by its full name; empty when the file has no directory that can be
/// read.
std::map<std::string, std::uint32_t> zip_checksums(const std::string& path);

/// The CRC-32 of bytes.
std::uint32_t checksum_of(const void* bytes, std::size_t count);

}  // namespace tilestrike::dnn
