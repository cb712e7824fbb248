// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// Hsiao's SEC-DED code of 32 data and 7 check bits (docs/ecc.md). Written by ts_generate_ecc from
// the tables of the C++ codec: do not edit (docs/rtl.md).
//
// A codeword is its data bits, then its check bits. Combinational, no state.

module ts_secded_39_32_enc (
  input  logic [31:0] data_i,
  output logic [38:0] codeword_o
);

  assign codeword_o[31:0] = data_i;
  assign codeword_o[32] = ^(data_i & 32'h44b12cb7);
  assign codeword_o[33] = ^(data_i & 32'h8952555b);
  assign codeword_o[34] = ^(data_i & 32'h12649a6d);
  assign codeword_o[35] = ^(data_i & 32'h2388e38e);
  assign codeword_o[36] = ^(data_i & 32'h3c0f03f0);
  assign codeword_o[37] = ^(data_i & 32'hc00ffc00);
  assign codeword_o[38] = ^(data_i & 32'hfff00000);

endmodule

module ts_secded_39_32_dec (
  input  logic [38:0] codeword_i,
  output logic [31:0] data_o,       // after correction; as read where it is detected
  output logic [38:0] flipped_o,    // the bit that the decoder flips back
  output logic        corrected_o,
  output logic        detected_o
);

  logic [6:0] syndrome;

  assign syndrome[0] = ^(codeword_i & 39'h0144b12cb7);
  assign syndrome[1] = ^(codeword_i & 39'h028952555b);
  assign syndrome[2] = ^(codeword_i & 39'h0412649a6d);
  assign syndrome[3] = ^(codeword_i & 39'h082388e38e);
  assign syndrome[4] = ^(codeword_i & 39'h103c0f03f0);
  assign syndrome[5] = ^(codeword_i & 39'h20c00ffc00);
  assign syndrome[6] = ^(codeword_i & 39'h40fff00000);

  assign flipped_o[0] = syndrome == 7'h07;
  assign flipped_o[1] = syndrome == 7'h0b;
  assign flipped_o[2] = syndrome == 7'h0d;
  assign flipped_o[3] = syndrome == 7'h0e;
  assign flipped_o[4] = syndrome == 7'h13;
  assign flipped_o[5] = syndrome == 7'h15;
  assign flipped_o[6] = syndrome == 7'h16;
  assign flipped_o[7] = syndrome == 7'h19;
  assign flipped_o[8] = syndrome == 7'h1a;
  assign flipped_o[9] = syndrome == 7'h1c;
  assign flipped_o[10] = syndrome == 7'h23;
  assign flipped_o[11] = syndrome == 7'h25;
  assign flipped_o[12] = syndrome == 7'h26;
  assign flipped_o[13] = syndrome == 7'h29;
  assign flipped_o[14] = syndrome == 7'h2a;
  assign flipped_o[15] = syndrome == 7'h2c;
  assign flipped_o[16] = syndrome == 7'h31;
  assign flipped_o[17] = syndrome == 7'h32;
  assign flipped_o[18] = syndrome == 7'h34;
  assign flipped_o[19] = syndrome == 7'h38;
  assign flipped_o[20] = syndrome == 7'h43;
  assign flipped_o[21] = syndrome == 7'h45;
  assign flipped_o[22] = syndrome == 7'h46;
  assign flipped_o[23] = syndrome == 7'h49;
  assign flipped_o[24] = syndrome == 7'h4a;
  assign flipped_o[25] = syndrome == 7'h4c;
  assign flipped_o[26] = syndrome == 7'h51;
  assign flipped_o[27] = syndrome == 7'h52;
  assign flipped_o[28] = syndrome == 7'h54;
  assign flipped_o[29] = syndrome == 7'h58;
  assign flipped_o[30] = syndrome == 7'h61;
  assign flipped_o[31] = syndrome == 7'h62;
  assign flipped_o[32] = syndrome == 7'h01;
  assign flipped_o[33] = syndrome == 7'h02;
  assign flipped_o[34] = syndrome == 7'h04;
  assign flipped_o[35] = syndrome == 7'h08;
  assign flipped_o[36] = syndrome == 7'h10;
  assign flipped_o[37] = syndrome == 7'h20;
  assign flipped_o[38] = syndrome == 7'h40;

  assign data_o      = codeword_i[31:0] ^ flipped_o[31:0];
  assign corrected_o = |flipped_o;
  assign detected_o  = (|syndrome) & ~corrected_o;

endmodule

module ts_secded_39_32 (
  input  logic [31:0] data_i,
  output logic [38:0] codeword_o,

  input  logic [38:0] codeword_i,
  output logic [31:0] data_o,
  output logic [38:0] flipped_o,
  output logic        corrected_o,
  output logic        detected_o
);

  ts_secded_39_32_enc u_enc (
    .data_i,
    .codeword_o
  );

  ts_secded_39_32_dec u_dec (
    .codeword_i,
    .data_o,
    .flipped_o,
    .corrected_o,
    .detected_o
  );

endmodule
