// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// The systolic mesh: Rows x Columns PEs with the skew of their edge inputs, the output registers
// and the deskew behind them (docs/mesh.md, docs/rtl.md).
//
// The edge inputs of one cycle are a wavefront. It meets PE (r, c) after r + c + 1 clock edges, and
// its results stand at result_o after Rows + Columns edges, all columns at once. There is no
// handshake: whoever drives the edges knows the schedule, and valid_i enables the stationary
// registers only.
//
// Parameters: Rows, Columns 2 to 128; OperandBits < SumBits; any of the two dataflows.
// Latency: Rows + Columns clock edges.
// Injectable state: all of it (lint/ts_mesh_registers.vlt).

module ts_mesh #(
  parameter int unsigned Rows             = 16,
  parameter int unsigned Columns          = 16,
  parameter bit          WeightStationary = 1'b1,
  parameter bit          Saturate         = 1'b0,
  parameter int unsigned OperandBits      = 8,
  parameter int unsigned SumBits          = 32,
  parameter int unsigned VerticalBits     = WeightStationary ? SumBits : OperandBits,
  parameter int unsigned HeldBits         = WeightStationary ? OperandBits : SumBits
) (
  input  logic                            clk_i,
  input  logic                            rst_ni,

  // Lane r of activation_i belongs to row r, lane c of the others to column c.
  input  logic [Rows*OperandBits-1:0]     activation_i,
  input  logic [Columns*VerticalBits-1:0] vertical_i,
  input  logic [Columns*HeldBits-1:0]     load_i,
  input  logic                            valid_i,
  input  logic                            propagate_i,

  output logic [Columns*SumBits-1:0]      result_o
);

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic [OperandBits-1:0] entering;

    ts_delay #(
      .Width(OperandBits),
      .Depth(r)
    ) u_skew_activation (
      .clk_i,
      .rst_ni,
      .data_i(activation_i[r*OperandBits +: OperandBits]),
      .data_o(entering)
    );

    for (genvar c = 0; c < Columns; c++) begin : gen_column
      logic [OperandBits-1:0]  a_in;
      logic [OperandBits-1:0]  a_out;
      logic [VerticalBits-1:0] b_in;
      logic [VerticalBits-1:0] b_out;
      logic [HeldBits-1:0]     d_in;
      logic [HeldBits-1:0]     d_out;
      logic                    v_in;
      logic                    v_out;
      logic                    s_in;
      logic                    s_out;

      if (c == 0) begin : gen_left_edge
        assign a_in = entering;
      end else begin : gen_from_left
        assign a_in = gen_row[r].gen_column[c-1].a_out;
      end

      if (r == 0) begin : gen_top_edge
        assign b_in = gen_top[c].b_entering;
        assign d_in = gen_top[c].d_entering;
        assign v_in = gen_top[c].v_entering;
        assign s_in = gen_top[c].s_entering;
      end else begin : gen_from_above
        assign b_in = gen_row[r-1].gen_column[c].b_out;
        assign d_in = gen_row[r-1].gen_column[c].d_out;
        assign v_in = gen_row[r-1].gen_column[c].v_out;
        assign s_in = gen_row[r-1].gen_column[c].s_out;
      end

      ts_mesh_pe #(
        .WeightStationary(WeightStationary),
        .Saturate(Saturate),
        .OperandBits(OperandBits),
        .SumBits(SumBits)
      ) u_pe (
        .clk_i,
        .rst_ni,
        .a_i(a_in),
        .a_o(a_out),
        .b_i(b_in),
        .b_o(b_out),
        .d_i(d_in),
        .d_o(d_out),
        .v_i(v_in),
        .v_o(v_out),
        .s_i(s_in),
        .s_o(s_out)
      );
    end
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_top
    logic [VerticalBits-1:0] b_entering;
    logic [HeldBits-1:0]     d_entering;
    logic                    v_entering;
    logic                    s_entering;

    ts_delay #(
      .Width(VerticalBits),
      .Depth(c)
    ) u_skew_vertical (
      .clk_i,
      .rst_ni,
      .data_i(vertical_i[c*VerticalBits +: VerticalBits]),
      .data_o(b_entering)
    );
    ts_delay #(
      .Width(HeldBits),
      .Depth(c)
    ) u_skew_load (
      .clk_i,
      .rst_ni,
      .data_i(load_i[c*HeldBits +: HeldBits]),
      .data_o(d_entering)
    );
    ts_delay #(
      .Width(1),
      .Depth(c)
    ) u_skew_valid (
      .clk_i,
      .rst_ni,
      .data_i(valid_i),
      .data_o(v_entering)
    );
    ts_delay #(
      .Width(1),
      .Depth(c)
    ) u_skew_propagate (
      .clk_i,
      .rst_ni,
      .data_i(propagate_i),
      .data_o(s_entering)
    );
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_bottom
    logic [SumBits-1:0] leaving;

    if (WeightStationary) begin : gen_ws
      assign leaving = gen_row[Rows-1].gen_column[c].b_out;
    end else begin : gen_os
      assign leaving = gen_row[Rows-1].gen_column[c].d_out;
    end

    ts_delay #(
      .Width(SumBits),
      .Depth(1)
    ) u_output (
      .clk_i,
      .rst_ni,
      .data_i(leaving),
      .data_o(gen_deskew[c].entering)
    );
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_deskew
    logic [SumBits-1:0] entering;

    ts_delay #(
      .Width(SumBits),
      .Depth(Columns - 1 - c)
    ) u_deskew (
      .clk_i,
      .rst_ni,
      .data_i(entering),
      .data_o(result_o[c*SumBits +: SumBits])
    );
  end

endmodule
