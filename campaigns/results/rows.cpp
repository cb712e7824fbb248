// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/rows.h"

#include <bit>

namespace tilestrike::campaigns {

static_assert(std::endian::native == std::endian::little, "numbers are stored little-endian");

// What is bound is copied by SQLite: a record may go before its row is written.
void bind_datum(SQLite::Statement& statement, int index, const Datum& datum) {
  struct Visitor {
    SQLite::Statement& statement;
    int index;
    void operator()(std::monostate) const { statement.bind(index); }
    void operator()(std::int64_t value) const { statement.bind(index, value); }
    void operator()(double value) const { statement.bind(index, value); }
    void operator()(std::string_view value) const { statement.bind(index, std::string(value)); }
    void operator()(std::span<const std::byte> bytes) const {
      statement.bind(index, bytes.data(), static_cast<int>(bytes.size()));
    }
  };
  std::visit(Visitor{statement, index}, datum);
}

Datum datum_of(const SQLite::Column& column) {
  if (column.isNull()) {
    return {};
  }
  if (column.isInteger()) {
    return column.getInt64();
  }
  if (column.isFloat()) {
    return column.getDouble();
  }
  if (column.isBlob()) {
    const void* bytes = column.getBlob();
    return std::span(static_cast<const std::byte*>(bytes),
                     static_cast<std::size_t>(column.getBytes()));
  }
  const char* text = column.getText();
  return std::string_view(text, static_cast<std::size_t>(column.getBytes()));
}

}  // namespace tilestrike::campaigns
