// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// Memory cells: rows of columns, one port. Whatever stores more than a register's worth is an
// instance of this module, so that a chip replaces it by its macro here and nowhere else
// (docs/rtl.md).
//
// The addressed row stands at data_o; the columns named by write_i take data_i at the clock edge.
// There is no reset: what the cells hold at power-up is anything.
//
// Parameters: Rows, Columns >= 1. Latency: none to read, one clock edge to write.
// Injectable state: cells_q (lint/ts_memory_storage.vlt).

module ts_ram_1p #(
  parameter int unsigned Rows    = 4,
  parameter int unsigned Columns = 64,
  parameter int unsigned RowBits = (Rows > 1) ? $clog2(Rows) : 1
) (
  input  logic               clk_i,
  input  logic [RowBits-1:0] row_i,
  input  logic [Columns-1:0] write_i,
  input  logic [Columns-1:0] data_i,
  output logic [Columns-1:0] data_o
);

  logic [Columns-1:0] cells_q [Rows];

  assign data_o = cells_q[row_i];

  always_ff @(posedge clk_i) begin
    if (|write_i) begin
      cells_q[row_i] <= (data_i & write_i) | (cells_q[row_i] & ~write_i);
    end
  end

endmodule
