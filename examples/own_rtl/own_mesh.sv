// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// A weight-stationary mesh as somebody else might build it. It computes what TileStrike's own does,
// and has another structure: weights are written row by row into a second set of registers, without
// a chain through the PEs, and taken over when a token comes by with the first activations; a
// register stands between multiplier and adder; partial sums are registered behind the adder, not
// in front of it.
//
// Latency: a row of activations that enters at a clock edge has its results at result_o, marked by
// result_valid_o, Rows + Columns edges later.

// The three modules belong together, and what leaves at the right edge goes nowhere.
// verilator lint_off DECLFILENAME
// verilator lint_off UNUSEDSIGNAL

module own_pe (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        write_i,   // of the waiting weight
  input  logic [7:0]  weight_i,
  input  logic [7:0]  a_i,
  input  logic        swap_i,    // comes with a_i: the waiting weight is used from here on
  input  logic [31:0] sum_i,
  output logic [7:0]  a_o,
  output logic        swap_o,
  output logic [31:0] sum_o
);
  logic [7:0]  a_q;
  logic        swap_q;
  logic [7:0]  waiting_q;
  logic [7:0]  weight_q;
  logic [15:0] product_q;
  logic [31:0] sum_q;

  assign a_o    = a_q;
  assign swap_o = swap_q;
  assign sum_o  = sum_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_q       <= '0;
      swap_q    <= '0;
      waiting_q <= '0;
      weight_q  <= '0;
      product_q <= '0;
      sum_q     <= '0;
    end else begin
      a_q       <= a_i;
      swap_q    <= swap_i;
      product_q <= 16'($signed(a_q) * $signed(weight_q));
      sum_q     <= sum_i + 32'($signed(product_q));
      if (write_i) begin
        waiting_q <= weight_i;
      end
      if (swap_i) begin
        weight_q <= waiting_q;
      end
    end
  end
endmodule

// A chain of Depth registers, the first at the least significant bits; at least one.
module own_chain #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);
  logic [Width*Depth-1:0] data_q;

  assign data_o = data_q[Width*(Depth-1) +: Width];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      data_q <= '0;
    end else begin
      data_q <= (Width*Depth)'({data_q, data_i});
    end
  end
endmodule

module own_mesh #(
  parameter int unsigned Rows    = 16,
  parameter int unsigned Columns = 16
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,

  // Row write_row_i of the weights, one for each column.
  input  logic                  write_i,
  input  logic [7:0]            write_row_i,
  input  logic [Columns*8-1:0]  weight_i,

  // A row of activations, one for each row of PEs, and what its sums start from.
  input  logic                  valid_i,
  input  logic                  swap_i,
  input  logic [Rows*8-1:0]     activation_i,
  input  logic [Columns*32-1:0] bias_i,

  output logic                  result_valid_o,
  output logic [Columns*32-1:0] result_o
);
  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic [7:0] entering;
    logic       swap_entering;

    if (r == 0) begin : gen_first
      assign entering      = activation_i[7:0];
      assign swap_entering = swap_i;
    end else begin : gen_skewed
      own_chain #(.Width(8), .Depth(r)) u_skew (
        .clk_i, .rst_ni, .data_i(activation_i[8*r +: 8]), .data_o(entering)
      );
      own_chain #(.Width(1), .Depth(r)) u_swap_skew (
        .clk_i, .rst_ni, .data_i(swap_i), .data_o(swap_entering)
      );
    end

    for (genvar c = 0; c < Columns; c++) begin : gen_column
      logic [7:0]  a_in, a_out;
      logic        swap_in, swap_out;
      logic [31:0] sum_in, sum_out;

      if (c == 0) begin : gen_left
        assign a_in    = entering;
        assign swap_in = swap_entering;
      end else begin : gen_inner
        assign a_in    = gen_row[r].gen_column[c-1].a_out;
        assign swap_in = gen_row[r].gen_column[c-1].swap_out;
      end
      if (r == 0) begin : gen_top
        assign sum_in = gen_bias[c].entering;
      end else begin : gen_below
        assign sum_in = gen_row[r-1].gen_column[c].sum_out;
      end

      own_pe u_pe (
        .clk_i, .rst_ni,
        .write_i(write_i && write_row_i == 8'(r)),
        .weight_i(weight_i[8*c +: 8]),
        .a_i(a_in), .swap_i(swap_in), .sum_i(sum_in),
        .a_o(a_out), .swap_o(swap_out), .sum_o(sum_out)
      );
    end
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_bias
    logic [31:0] entering;
    own_chain #(.Width(32), .Depth(c + 2)) u_skew (
      .clk_i, .rst_ni, .data_i(bias_i[32*c +: 32]), .data_o(entering)
    );
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_result
    if (c + 1 == Columns) begin : gen_last
      assign result_o[32*c +: 32] = gen_row[Rows-1].gen_column[c].sum_out;
    end else begin : gen_deskewed
      own_chain #(.Width(32), .Depth(Columns - 1 - c)) u_deskew (
        .clk_i, .rst_ni, .data_i(gen_row[Rows-1].gen_column[c].sum_out),
        .data_o(result_o[32*c +: 32])
      );
    end
  end

  own_chain #(.Width(1), .Depth(Rows + Columns + 1)) u_valid (
    .clk_i, .rst_ni, .data_i(valid_i), .data_o(result_valid_o)
  );
endmodule
