// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// Hsiao's SEC-DED code of 64 data and 8 check bits (docs/ecc.md). Written by ts_generate_ecc from
// the tables of the C++ codec: do not edit (docs/rtl.md).
//
// A codeword is its data bits, then its check bits. Combinational, no state.

module ts_secded_72_64_enc (
  input  logic [63:0] data_i,
  output logic [71:0] codeword_o
);

  assign codeword_o[63:0] = data_i;
  assign codeword_o[64] = ^(data_i & 64'hf104225844b12cb7);
  assign codeword_o[65] = ^(data_i & 64'he30844a88952555b);
  assign codeword_o[66] = ^(data_i & 64'hc710893112649a6d);
  assign codeword_o[67] = ^(data_i & 64'h8f2111c22388e38e);
  assign codeword_o[68] = ^(data_i & 64'h1f421e043c0f03f0);
  assign codeword_o[69] = ^(data_i & 64'h3e83e007c00ffc00);
  assign codeword_o[70] = ^(data_i & 64'h7cfc0007fff00000);
  assign codeword_o[71] = ^(data_i & 64'hf8fffff800000000);

endmodule

module ts_secded_72_64_dec (
  input  logic [71:0] codeword_i,
  output logic [63:0] data_o,       // after correction; as read where it is detected
  output logic [71:0] flipped_o,    // the bit that the decoder flips back
  output logic        corrected_o,
  output logic        detected_o
);

  logic [7:0] syndrome;

  assign syndrome[0] = ^(codeword_i & 72'h01f104225844b12cb7);
  assign syndrome[1] = ^(codeword_i & 72'h02e30844a88952555b);
  assign syndrome[2] = ^(codeword_i & 72'h04c710893112649a6d);
  assign syndrome[3] = ^(codeword_i & 72'h088f2111c22388e38e);
  assign syndrome[4] = ^(codeword_i & 72'h101f421e043c0f03f0);
  assign syndrome[5] = ^(codeword_i & 72'h203e83e007c00ffc00);
  assign syndrome[6] = ^(codeword_i & 72'h407cfc0007fff00000);
  assign syndrome[7] = ^(codeword_i & 72'h80f8fffff800000000);

  assign flipped_o[0] = syndrome == 8'h07;
  assign flipped_o[1] = syndrome == 8'h0b;
  assign flipped_o[2] = syndrome == 8'h0d;
  assign flipped_o[3] = syndrome == 8'h0e;
  assign flipped_o[4] = syndrome == 8'h13;
  assign flipped_o[5] = syndrome == 8'h15;
  assign flipped_o[6] = syndrome == 8'h16;
  assign flipped_o[7] = syndrome == 8'h19;
  assign flipped_o[8] = syndrome == 8'h1a;
  assign flipped_o[9] = syndrome == 8'h1c;
  assign flipped_o[10] = syndrome == 8'h23;
  assign flipped_o[11] = syndrome == 8'h25;
  assign flipped_o[12] = syndrome == 8'h26;
  assign flipped_o[13] = syndrome == 8'h29;
  assign flipped_o[14] = syndrome == 8'h2a;
  assign flipped_o[15] = syndrome == 8'h2c;
  assign flipped_o[16] = syndrome == 8'h31;
  assign flipped_o[17] = syndrome == 8'h32;
  assign flipped_o[18] = syndrome == 8'h34;
  assign flipped_o[19] = syndrome == 8'h38;
  assign flipped_o[20] = syndrome == 8'h43;
  assign flipped_o[21] = syndrome == 8'h45;
  assign flipped_o[22] = syndrome == 8'h46;
  assign flipped_o[23] = syndrome == 8'h49;
  assign flipped_o[24] = syndrome == 8'h4a;
  assign flipped_o[25] = syndrome == 8'h4c;
  assign flipped_o[26] = syndrome == 8'h51;
  assign flipped_o[27] = syndrome == 8'h52;
  assign flipped_o[28] = syndrome == 8'h54;
  assign flipped_o[29] = syndrome == 8'h58;
  assign flipped_o[30] = syndrome == 8'h61;
  assign flipped_o[31] = syndrome == 8'h62;
  assign flipped_o[32] = syndrome == 8'h64;
  assign flipped_o[33] = syndrome == 8'h68;
  assign flipped_o[34] = syndrome == 8'h70;
  assign flipped_o[35] = syndrome == 8'h83;
  assign flipped_o[36] = syndrome == 8'h85;
  assign flipped_o[37] = syndrome == 8'h86;
  assign flipped_o[38] = syndrome == 8'h89;
  assign flipped_o[39] = syndrome == 8'h8a;
  assign flipped_o[40] = syndrome == 8'h8c;
  assign flipped_o[41] = syndrome == 8'h91;
  assign flipped_o[42] = syndrome == 8'h92;
  assign flipped_o[43] = syndrome == 8'h94;
  assign flipped_o[44] = syndrome == 8'h98;
  assign flipped_o[45] = syndrome == 8'ha1;
  assign flipped_o[46] = syndrome == 8'ha2;
  assign flipped_o[47] = syndrome == 8'ha4;
  assign flipped_o[48] = syndrome == 8'ha8;
  assign flipped_o[49] = syndrome == 8'hb0;
  assign flipped_o[50] = syndrome == 8'hc1;
  assign flipped_o[51] = syndrome == 8'hc2;
  assign flipped_o[52] = syndrome == 8'hc4;
  assign flipped_o[53] = syndrome == 8'hc8;
  assign flipped_o[54] = syndrome == 8'hd0;
  assign flipped_o[55] = syndrome == 8'he0;
  assign flipped_o[56] = syndrome == 8'h1f;
  assign flipped_o[57] = syndrome == 8'h3e;
  assign flipped_o[58] = syndrome == 8'h7c;
  assign flipped_o[59] = syndrome == 8'hf8;
  assign flipped_o[60] = syndrome == 8'hf1;
  assign flipped_o[61] = syndrome == 8'he3;
  assign flipped_o[62] = syndrome == 8'hc7;
  assign flipped_o[63] = syndrome == 8'h8f;
  assign flipped_o[64] = syndrome == 8'h01;
  assign flipped_o[65] = syndrome == 8'h02;
  assign flipped_o[66] = syndrome == 8'h04;
  assign flipped_o[67] = syndrome == 8'h08;
  assign flipped_o[68] = syndrome == 8'h10;
  assign flipped_o[69] = syndrome == 8'h20;
  assign flipped_o[70] = syndrome == 8'h40;
  assign flipped_o[71] = syndrome == 8'h80;

  assign data_o      = codeword_i[63:0] ^ flipped_o[63:0];
  assign corrected_o = |flipped_o;
  assign detected_o  = (|syndrome) & ~corrected_o;

endmodule

module ts_secded_72_64 (
  input  logic [63:0] data_i,
  output logic [71:0] codeword_o,

  input  logic [71:0] codeword_i,
  output logic [63:0] data_o,
  output logic [71:0] flipped_o,
  output logic        corrected_o,
  output logic        detected_o
);

  ts_secded_72_64_enc u_enc (
    .data_i,
    .codeword_o
  );

  ts_secded_72_64_dec u_dec (
    .codeword_i,
    .data_o,
    .flipped_o,
    .corrected_o,
    .detected_o
  );

endmodule
