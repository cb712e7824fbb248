// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// A chain of Depth registers: the skew in front of the mesh and the deskew behind it.
//
// Parameters: Width >= 1, Depth >= 0 (a wire). Latency: Depth clock edges.
// Injectable state: gen_position[0 .. Depth - 1].data_q (lint/ts_mesh_registers.vlt).

module ts_delay #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 1
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);

  if (Depth == 0) begin : gen_wire
    logic unused_signals;
    assign unused_signals = ^{clk_i, rst_ni};
    assign data_o = data_i;
  end else begin : gen_chain
    for (genvar j = 0; j < Depth; j++) begin : gen_position
      logic [Width-1:0] data_q;

      if (j == 0) begin : gen_first
        always_ff @(posedge clk_i or negedge rst_ni) begin
          if (!rst_ni) begin
            data_q <= '0;
          end else begin
            data_q <= data_i;
          end
        end
      end else begin : gen_next
        always_ff @(posedge clk_i or negedge rst_ni) begin
          if (!rst_ni) begin
            data_q <= '0;
          end else begin
            data_q <= gen_chain.gen_position[j-1].data_q;
          end
        end
      end
    end

    assign data_o = gen_chain.gen_position[Depth-1].data_q;
  end

endmodule
