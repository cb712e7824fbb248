// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// One processing element (PE) of the systolic mesh (docs/mesh.md, docs/rtl.md).
//
// Every pipe register lies at the input of its PE. What leaves downwards is combinational from the
// registers and is used once, by the register of the PE below: nothing but the registers lives from
// one clock edge to the next.
//
// Parameters: OperandBits < SumBits; any of the two dataflows; sums wrap, or saturate.
// Latency: one clock edge to the right and downwards.
// Injectable state: a_q, b_q, d_q, v_q, s_q, c0_q, c1_q (lint/ts_mesh_registers.vlt).

module ts_mesh_pe #(
  parameter bit          WeightStationary = 1'b1,
  parameter bit          Saturate         = 1'b0,
  parameter int unsigned OperandBits      = 8,
  parameter int unsigned SumBits          = 32,
  parameter int unsigned VerticalBits     = WeightStationary ? SumBits : OperandBits,
  parameter int unsigned HeldBits         = WeightStationary ? OperandBits : SumBits
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,

  // Horizontal operand, to the right.
  input  logic [OperandBits-1:0]  a_i,
  output logic [OperandBits-1:0]  a_o,

  // Partial sum (weight-stationary) or the other operand (output-stationary), downwards.
  input  logic [VerticalBits-1:0] b_i,
  output logic [VerticalBits-1:0] b_o,

  // What is loaded into, and in output-stationary drained from, the stationary registers.
  input  logic [HeldBits-1:0]     d_i,
  output logic [HeldBits-1:0]     d_o,

  // Write enable of the stationary registers, and which of them is active.
  input  logic                    v_i,
  output logic                    v_o,
  input  logic                    s_i,
  output logic                    s_o
);

  logic [OperandBits-1:0]  a_q;
  logic [VerticalBits-1:0] b_q;
  logic [HeldBits-1:0]     d_q;
  logic                    v_q;
  logic                    s_q;
  logic [HeldBits-1:0]     c0_q;
  logic [HeldBits-1:0]     c1_q;

  assign a_o = a_q;
  assign v_o = v_q;
  assign s_o = s_q;
  assign d_o = s_q ? c0_q : c1_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_q <= '0;
      b_q <= '0;
      d_q <= '0;
      v_q <= '0;
      s_q <= '0;
    end else begin
      a_q <= a_i;
      b_q <= b_i;
      d_q <= d_i;
      v_q <= v_i;
      s_q <= s_i;
    end
  end

  if (WeightStationary) begin : gen_ws
    if (Saturate) begin : gen_saturate
      logic signed [SumBits-1:0] product;
      logic signed [SumBits-1:0] sum;

      assign product = $signed(a_q) * $signed(s_q ? c1_q : c0_q);
      assign sum     = $signed(b_q) + product;
      assign b_o     = ((b_q[SumBits-1] == product[SumBits-1]) &&
                        (sum[SumBits-1] != b_q[SumBits-1]))
                       ? {b_q[SumBits-1], {(SumBits - 1){~b_q[SumBits-1]}}} : sum;
    end else begin : gen_wrap
      assign b_o = $signed(b_q) + $signed(a_q) * $signed(s_q ? c1_q : c0_q);
    end

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        c0_q <= '0;
        c1_q <= '0;
      end else if (v_q) begin
        if (s_q) begin
          c0_q <= d_q;
        end else begin
          c1_q <= d_q;
        end
      end
    end
  end else begin : gen_os
    assign b_o = b_q;

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        c0_q <= '0;
        c1_q <= '0;
      end else if (v_q) begin : update
        // Worked out within the edge, so that no simulator has to keep it between two.
        logic signed [SumBits-1:0] active;
        logic signed [SumBits-1:0] product;
        logic signed [SumBits-1:0] sum;
        active  = s_q ? c1_q : c0_q;
        product = $signed(a_q) * $signed(b_q);
        sum     = active + product;
        if (Saturate && (active[SumBits-1] == product[SumBits-1]) &&
            (sum[SumBits-1] != active[SumBits-1])) begin
          sum = {active[SumBits-1], {(SumBits - 1){~active[SumBits-1]}}};
        end
        if (s_q) begin
          c0_q <= d_q;
          c1_q <= sum;
        end else begin
          c0_q <= sum;
          c1_q <= d_q;
        end
      end
    end
  end

endmodule
