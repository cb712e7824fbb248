// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/database_error.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "base/error.h"

namespace tilestrike::campaigns {

void fail_of_database(const SQLite::Exception& error, const std::string& path) {
  switch (error.getErrorCode()) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      fail(ErrorCode::kInvalidInput, "this is not a results file: " + std::string(error.what()),
           path, "name another file with --out; this one is left as it is");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      fail(ErrorCode::kInvalidInput, "cannot write the results file: " + std::string(error.what()),
           path, "name a file that can be written with --out");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail(ErrorCode::kInvalidInput, "another program holds the results file", path,
           "close it there, or name another file with --out");
    case SQLITE_FULL:
      fail(ErrorCode::kMachine, "the disk is full", path,
           "free some space and run again; what is written is kept");
    default:
      fail(ErrorCode::kMachine, "cannot read or write: " + std::string(error.what()), path,
           "check the disk and run again; what is written is kept");
  }
}

}  // namespace tilestrike::campaigns
