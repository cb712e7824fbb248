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
// Registers of one kind are one array: of the PEs, (r, c) is element r * Columns + c; of the skew
// and deskew, a chain of n registers begins at element n * (n - 1) / 2. Every pipe register lies at
// the input of its PE. One process updates them all, in loops: it works out every next value from
// the registers before it writes the first, and nothing but the registers lives from one clock edge
// to the next.
//
// Parameters: Rows, Columns 2 to 128; OperandBits < SumBits; any of the two dataflows; sums wrap,
// or saturate.
// Latency: Rows + Columns clock edges. Reset: synchronous.
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

  localparam int unsigned Pes         = Rows * Columns;
  localparam int unsigned RowSkew     = Rows * (Rows - 1) / 2;
  localparam int unsigned ColumnSkew  = Columns * (Columns - 1) / 2;
  localparam int unsigned ProductBits = 2 * OperandBits;

  // Of the PEs: the horizontal operand; the partial sum or the other operand; what is loaded into,
  // and in output-stationary drained from, the stationary registers; their write enable; which of
  // them is active; and themselves. ([0:0]: else Verilator describes an array as one wide word.)
  logic [OperandBits-1:0]  a_q  [Pes];
  logic [VerticalBits-1:0] b_q  [Pes];
  logic [HeldBits-1:0]     d_q  [Pes];
  logic [0:0]              v_q  [Pes];
  logic [0:0]              s_q  [Pes];
  logic [HeldBits-1:0]     c0_q [Pes];
  logic [HeldBits-1:0]     c1_q [Pes];

  logic [OperandBits-1:0]  skew_a_q [RowSkew];     // row r: the chain of r registers
  logic [VerticalBits-1:0] skew_b_q [ColumnSkew];  // column c: the chain of c registers
  logic [HeldBits-1:0]     skew_d_q [ColumnSkew];
  logic [0:0]              skew_v_q [ColumnSkew];
  logic [0:0]              skew_s_q [ColumnSkew];
  logic [SumBits-1:0]      out_q    [Columns];
  logic [SumBits-1:0]      deskew_q [ColumnSkew];  // column c: the chain of Columns - 1 - c

  function automatic [SumBits-1:0] sum_of(input [SumBits-1:0]     addend,
                                          input [ProductBits-1:0] product);
    logic [SumBits-1:0] sum;
    sum = addend + SumBits'($signed(product));
    if (Saturate && (addend[SumBits-1] == product[ProductBits-1]) &&
        (addend[SumBits-1] != sum[SumBits-1])) begin
      sum = {addend[SumBits-1], {(SumBits - 1){~addend[SumBits-1]}}};
    end
    sum_of = sum;
  endfunction

  always_ff @(posedge clk_i) begin : update
    // What the registers take at this edge. b and d: a row more, for what leaves the last one.
    logic [OperandBits-1:0]  a [Pes];
    logic [VerticalBits-1:0] b [Pes + Columns];
    logic [HeldBits-1:0]     d [Pes + Columns];
    logic                    v [Pes];
    logic                    s [Pes];
    logic [OperandBits-1:0]  skew_a [RowSkew];
    logic [VerticalBits-1:0] skew_b [ColumnSkew];
    logic [HeldBits-1:0]     skew_d [ColumnSkew];
    logic                    skew_v [ColumnSkew];
    logic                    skew_s [ColumnSkew];
    logic [SumBits-1:0]      deskew [ColumnSkew];
    logic [HeldBits-1:0]     active [Pes];
    logic [HeldBits-1:0]     kept [Pes];  // output-stationary: what the active register takes
    logic [ProductBits-1:0]  product [Pes];

    // The PEs.
    for (int unsigned i = 0; i < Pes; i++) begin
      active[i] = (c1_q[i] & {HeldBits{s_q[i]}}) | (c0_q[i] & ~{HeldBits{s_q[i]}});
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      product[i] = ProductBits'($signed(a_q[i])) *
          ProductBits'($signed(WeightStationary ? OperandBits'(active[i]) : OperandBits'(b_q[i])));
    end
    if (WeightStationary) begin
      for (int unsigned i = 0; i < Pes; i++) begin
        b[i+Columns] = VerticalBits'(sum_of(SumBits'(b_q[i]), product[i]));
      end
    end else begin
      for (int unsigned i = 0; i < Pes; i++) begin
        b[i+Columns] = b_q[i];
      end
      for (int unsigned i = 0; i < Pes; i++) begin
        kept[i] = HeldBits'(sum_of(SumBits'(active[i]), product[i]));
      end
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      d[i+Columns] = c0_q[i] ^ c1_q[i] ^ active[i];  // the one that is not active
    end
    for (int unsigned i = 0; i < Pes - Columns; i++) begin
      v[i+Columns] = v_q[i];
      s[i+Columns] = s_q[i];
    end
    for (int unsigned i = 1; i < Pes; i++) begin
      a[i] = a_q[i-1];
    end

    // What enters them, through the skew.
    a[0] = activation_i[0 +: OperandBits];
    for (int unsigned r = 1; r < Rows; r++) begin
      a[r*Columns] = skew_a_q[r*(r+1)/2-1];
    end
    b[0] = vertical_i[0 +: VerticalBits];
    d[0] = load_i[0 +: HeldBits];
    v[0] = valid_i;
    s[0] = propagate_i;
    for (int unsigned c = 1; c < Columns; c++) begin
      b[c] = skew_b_q[c*(c+1)/2-1];
      d[c] = skew_d_q[c*(c+1)/2-1];
      v[c] = skew_v_q[c*(c+1)/2-1];
      s[c] = skew_s_q[c*(c+1)/2-1];
    end
    for (int unsigned k = 1; k < RowSkew; k++) begin
      skew_a[k] = skew_a_q[k-1];
    end
    for (int unsigned r = 1; r < Rows; r++) begin
      skew_a[r*(r-1)/2] = activation_i[r*OperandBits +: OperandBits];
    end
    for (int unsigned k = 1; k < ColumnSkew; k++) begin
      skew_b[k] = skew_b_q[k-1];
    end
    for (int unsigned k = 1; k < ColumnSkew; k++) begin
      skew_d[k] = skew_d_q[k-1];
    end
    for (int unsigned k = 1; k < ColumnSkew; k++) begin
      skew_v[k] = skew_v_q[k-1];
      skew_s[k] = skew_s_q[k-1];
    end
    for (int unsigned k = 1; k < ColumnSkew; k++) begin
      deskew[k] = deskew_q[k-1];
    end
    for (int unsigned c = 1; c < Columns; c++) begin
      skew_b[c*(c-1)/2] = vertical_i[c*VerticalBits +: VerticalBits];
      skew_d[c*(c-1)/2] = load_i[c*HeldBits +: HeldBits];
      skew_v[c*(c-1)/2] = valid_i;
      skew_s[c*(c-1)/2] = propagate_i;
      deskew[c*(c-1)/2] = out_q[Columns-1-c];
    end

    // The edge.
    if (WeightStationary) begin
      for (int unsigned i = 0; i < Pes; i++) begin
        c0_q[i] = c0_q[i] ^ ((c0_q[i] ^ d_q[i]) & {HeldBits{v_q[i] & s_q[i]}});
      end
      for (int unsigned i = 0; i < Pes; i++) begin
        c1_q[i] = c1_q[i] ^ ((c1_q[i] ^ d_q[i]) & {HeldBits{v_q[i] & ~s_q[i]}});
      end
    end else begin
      for (int unsigned i = 0; i < Pes; i++) begin
        c0_q[i] = (d_q[i]  & {HeldBits{v_q[i] & s_q[i]}}) |
                  (kept[i] & {HeldBits{v_q[i] & ~s_q[i]}}) | (c0_q[i] & ~{HeldBits{v_q[i]}});
        c1_q[i] = (d_q[i]  & {HeldBits{v_q[i] & ~s_q[i]}}) |
                  (kept[i] & {HeldBits{v_q[i] & s_q[i]}}) | (c1_q[i] & ~{HeldBits{v_q[i]}});
      end
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      a_q[i] = a[i];
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      b_q[i] = b[i];
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      d_q[i] = d[i];
    end
    for (int unsigned i = 0; i < Pes; i++) begin
      v_q[i] = v[i];
      s_q[i] = s[i];
    end
    for (int unsigned k = 0; k < RowSkew; k++) begin
      skew_a_q[k] = skew_a[k];
    end
    for (int unsigned k = 0; k < ColumnSkew; k++) begin
      skew_b_q[k] = skew_b[k];
    end
    for (int unsigned k = 0; k < ColumnSkew; k++) begin
      skew_d_q[k] = skew_d[k];
    end
    for (int unsigned k = 0; k < ColumnSkew; k++) begin
      skew_v_q[k] = skew_v[k];
      skew_s_q[k] = skew_s[k];
    end
    for (int unsigned k = 0; k < ColumnSkew; k++) begin
      deskew_q[k] = deskew[k];
    end
    for (int unsigned c = 0; c < Columns; c++) begin
      out_q[c] = WeightStationary ? SumBits'(b[Pes+c]) : SumBits'(d[Pes+c]);
    end

    if (!rst_ni) begin
      for (int unsigned i = 0; i < Pes; i++) begin
        a_q[i]  = '0;
        b_q[i]  = '0;
        d_q[i]  = '0;
        v_q[i]  = '0;
        s_q[i]  = '0;
        c0_q[i] = '0;
        c1_q[i] = '0;
      end
      for (int unsigned k = 0; k < RowSkew; k++) begin
        skew_a_q[k] = '0;
      end
      for (int unsigned k = 0; k < ColumnSkew; k++) begin
        skew_b_q[k] = '0;
        skew_d_q[k] = '0;
        skew_v_q[k] = '0;
        skew_s_q[k] = '0;
        deskew_q[k] = '0;
      end
      for (int unsigned c = 0; c < Columns; c++) begin
        out_q[c] = '0;
      end
    end
  end

  for (genvar c = 0; c < Columns; c++) begin : gen_result
    if (c == Columns - 1) begin : gen_last
      assign result_o[c*SumBits +: SumBits] = out_q[c];
    end else begin : gen_deskewed
      assign result_o[c*SumBits +: SumBits] =
          deskew_q[(Columns-1-c)*(Columns-c)/2-1];
    end
  end

endmodule
