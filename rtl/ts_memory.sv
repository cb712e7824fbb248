// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// A memory array with column multiplexing and ECC (docs/memory_arrays.md, docs/ecc.md,
// docs/rtl.md): banks of rows of columns of cells, addressed by codeword.
//
// A request is taken at a clock edge where req_valid_i and req_ready_o are high:
//
//   0 read   the codeword is read
//   1 write  the bits of req_mask_i take req_data_i
//   2 add    to each sum (SumBits bits of the data) that of req_data_i is added; the bits of
//            req_mask_i take the result
//   3 scrub  the next codeword of the walk is read, and written back if it was corrected;
//            req_address_i does not matter
//
// A write of a whole codeword, and without ECC every write, is done at that edge. All others read
// at that edge: what was found stands at rsp_* after it, and rsp_valid_o is high. A partial write,
// an add and a scrub write at the next edge, at which no request is taken. What strikes the cells
// of the codeword between the two edges is overwritten.
//
// A codeword that was written over a detected error is poisoned: its reads are detected errors
// until it is written as a whole. Nothing resets the poison: write every codeword once after
// power-up.
//
// Parameters: Banks, Rows (of a bank), WordsPerRow >= 1, two codewords or more; Interleave divides
// WordsPerRow; Ecc: 0 none, 1 parity, 2 SEC-DED, which takes DataBits 32 or 64; SumBits divides
// DataBits where sums are added. Sums wrap, or saturate.
// Latency: one clock edge to read or write, two to read and write.
// Injectable state: cells, poison and the registers _q (lint/ts_memory_storage.vlt).

module ts_memory #(
  parameter int unsigned Banks        = 2,
  parameter int unsigned Rows         = 2,
  parameter int unsigned WordsPerRow  = 2,
  parameter int unsigned Interleave   = 2,
  parameter int unsigned DataBits     = 32,
  parameter int unsigned Ecc          = 2,
  parameter int unsigned SumBits      = 32,
  parameter bit          Saturate     = 1'b0,
  parameter int unsigned CheckBits    = (Ecc == 0) ? 0 : (Ecc == 1) ? 1 : (DataBits == 32) ? 7 : 8,
  parameter int unsigned CodewordBits = DataBits + CheckBits,
  parameter int unsigned AddressBits  = $clog2(Banks * Rows * WordsPerRow)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,

  input  logic                    req_valid_i,
  output logic                    req_ready_o,
  input  logic [1:0]              req_operation_i,
  input  logic [AddressBits-1:0]  req_address_i,
  input  logic [DataBits-1:0]     req_data_i,
  input  logic [DataBits-1:0]     req_mask_i,

  output logic                    rsp_valid_o,
  output logic [AddressBits-1:0]  rsp_address_o,
  output logic [DataBits-1:0]     rsp_data_o,       // corrected; of a detected error as read
  output logic [CodewordBits-1:0] rsp_flipped_o,    // the bits that the decoder flipped back
  output logic                    rsp_corrected_o,
  output logic                    rsp_detected_o,
  output logic                    rsp_poisoned_o
);

  localparam logic [1:0] OpWrite = 2'd1;
  localparam logic [1:0] OpAdd   = 2'd2;
  localparam logic [1:0] OpScrub = 2'd3;

  localparam int unsigned Lines    = Banks * Rows;
  localparam int unsigned Columns  = WordsPerRow * CodewordBits;
  localparam int unsigned Groups   = WordsPerRow / Interleave;
  localparam int unsigned LineBits = (Lines > 1) ? $clog2(Lines) : 1;
  localparam int unsigned RowBits  = (Rows > 1) ? $clog2(Rows) : 1;
  localparam int unsigned WordBits = (WordsPerRow > 1) ? $clog2(WordsPerRow) : 1;

  // The request, and the first half's findings for the second.
  logic                    modify_q;   // the second half of a read-modify-write is due
  logic                    found_q;    // word_q is an answer
  logic [1:0]              operation_q;
  logic [AddressBits-1:0]  address_q;
  logic [DataBits-1:0]     data_q;
  logic [DataBits-1:0]     mask_q;
  logic [CodewordBits-1:0] word_q;     // as the cells held it
  logic [AddressBits-1:0]  scrub_q;    // where the walk of the scrubber stands

  logic                    take;
  logic                    is_whole;   // a write that needs no reading
  logic [AddressBits-1:0]  first_address;
  logic [AddressBits-1:0]  address;
  logic [LineBits-1:0]     line;
  logic [RowBits-1:0]      row;
  logic [WordBits-1:0]     word;
  logic [WordsPerRow-1:0]  select;     // one-hot: the addressed codeword of the row
  logic [Banks-1:0]        bank_select;

  logic [CodewordBits-1:0] read_word;
  logic [Columns-1:0]      row_data;
  logic [DataBits-1:0]     corrected_data;
  logic [CodewordBits-1:0] flipped;
  logic                    is_corrected;
  logic                    is_detected;
  logic                    is_poisoned;

  logic                    writes;
  logic [DataBits-1:0]     sums;
  logic [DataBits-1:0]     write_data;
  logic [CodewordBits-1:0] write_word;
  logic [CodewordBits-1:0] write_bits;

  ////////////////////////
  // Request and answer //
  ////////////////////////

  assign req_ready_o   = ~modify_q;
  assign take          = req_valid_i & req_ready_o;
  assign is_whole      = (req_operation_i == OpWrite) && ((Ecc == 0) || (&req_mask_i));
  assign first_address = (req_operation_i == OpScrub) ? scrub_q : req_address_i;
  assign address       = modify_q ? address_q : first_address;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      modify_q    <= 1'b0;
      found_q     <= 1'b0;
      operation_q <= '0;
      address_q   <= '0;
      data_q      <= '0;
      mask_q      <= '0;
      word_q      <= '0;
      scrub_q     <= '0;
    end else begin
      modify_q <= take && !is_whole && (req_operation_i != 2'd0);
      found_q  <= take && !is_whole;
      if (take) begin
        operation_q <= req_operation_i;
        address_q   <= first_address;
        data_q      <= req_data_i;
        mask_q      <= req_mask_i;
        word_q      <= read_word;
        if (req_operation_i == OpScrub) begin
          scrub_q <= (scrub_q == AddressBits'(Lines * WordsPerRow - 1)) ? '0 : scrub_q + 1'b1;
        end
      end
    end
  end

  assign rsp_valid_o     = found_q;
  assign rsp_address_o   = address_q;
  assign rsp_data_o      = corrected_data;
  assign rsp_flipped_o   = flipped;
  assign rsp_corrected_o = is_corrected & ~is_poisoned;
  assign rsp_detected_o  = is_detected | is_poisoned;
  assign rsp_poisoned_o  = is_poisoned;

  ////////////////////////////
  // What a write puts back //
  ////////////////////////////

  if (DataBits % SumBits == 0) begin : gen_sums
    for (genvar i = 0; i < DataBits / SumBits; i++) begin : gen_sum
      logic signed [SumBits-1:0] held;
      logic signed [SumBits-1:0] addend;
      logic signed [SumBits-1:0] sum;

      assign held   = corrected_data[i*SumBits +: SumBits];
      assign addend = data_q[i*SumBits +: SumBits];
      assign sum    = held + addend;
      assign sums[i*SumBits +: SumBits] =
          (Saturate && (held[SumBits-1] == addend[SumBits-1]) &&
           (sum[SumBits-1] != held[SumBits-1]))
          ? {held[SumBits-1], {(SumBits - 1){~held[SumBits-1]}}} : sum;
    end
  end else begin : gen_no_sums
    assign sums = corrected_data;
  end

  always_comb begin
    if (!modify_q) begin
      write_data = req_data_i;
    end else if (operation_q == OpScrub) begin
      write_data = corrected_data;
    end else begin
      write_data = (((operation_q == OpAdd) ? sums : data_q) & mask_q) |
                   (corrected_data & ~mask_q);
    end
  end

  assign writes     = modify_q ? ((operation_q != OpScrub) || rsp_corrected_o) : (take && is_whole);
  assign write_bits = ((Ecc == 0) && !modify_q) ? CodewordBits'(req_mask_i)
                                                : {CodewordBits{1'b1}};

  /////////
  // ECC //
  /////////

  if (Ecc == 0) begin : gen_none
    assign write_word     = write_data;
    assign corrected_data = word_q;
    assign flipped        = '0;
    assign is_corrected   = 1'b0;
    assign is_detected    = 1'b0;
  end else if (Ecc == 1) begin : gen_parity
    assign write_word     = {^write_data, write_data};
    assign corrected_data = word_q[DataBits-1:0];
    assign flipped        = '0;
    assign is_corrected   = 1'b0;
    assign is_detected    = ^word_q;
  end else if (DataBits == 32) begin : gen_secded_32
    ts_secded_39_32_enc u_enc (
      .data_i(write_data),
      .codeword_o(write_word)
    );
    ts_secded_39_32_dec u_dec (
      .codeword_i(word_q),
      .data_o(corrected_data),
      .flipped_o(flipped),
      .corrected_o(is_corrected),
      .detected_o(is_detected)
    );
  end else begin : gen_secded_64
    ts_secded_72_64_enc u_enc (
      .data_i(write_data),
      .codeword_o(write_word)
    );
    ts_secded_72_64_dec u_dec (
      .codeword_i(word_q),
      .data_o(corrected_data),
      .flipped_o(flipped),
      .corrected_o(is_corrected),
      .detected_o(is_detected)
    );
  end

  ////////////////////////
  // Rows, banks, cells //
  ////////////////////////

  assign line = LineBits'(32'(address) / WordsPerRow);
  assign word = WordBits'(32'(address) % WordsPerRow);
  assign row  = RowBits'(32'(line) % Rows);

  for (genvar w = 0; w < WordsPerRow; w++) begin : gen_select
    assign select[w] = word == WordBits'(w);
  end

  // Bit b of word w of a row lies in column
  //   (w / Interleave * CodewordBits + b) * Interleave + w % Interleave.
  logic [Columns-1:0] write_columns;
  logic [Columns-1:0] column_data;

  for (genvar b = 0; b < CodewordBits; b++) begin : gen_bit
    logic [WordsPerRow-1:0] bits;  // bit b of every word of the row

    for (genvar g = 0; g < Groups; g++) begin : gen_group
      localparam int unsigned First = (g * CodewordBits + b) * Interleave;
      assign bits[g*Interleave +: Interleave] = row_data[First +: Interleave];
      assign write_columns[First +: Interleave] =
          select[g*Interleave +: Interleave] & {Interleave{writes & write_bits[b]}};
      assign column_data[First +: Interleave] = {Interleave{write_word[b]}};
    end
    assign read_word[b] = |(bits & select);
  end

  for (genvar k = 0; k < Banks; k++) begin : gen_bank
    logic [Columns-1:0] data;

    assign bank_select[k] = 32'(line) / Rows == k;

    ts_ram_1p #(
      .Rows(Rows),
      .Columns(Columns)
    ) u_cells (
      .clk_i,
      .row_i(row),
      .write_i(write_columns & {Columns{bank_select[k]}}),
      .data_i(column_data),
      .data_o(data)
    );
  end

  // The banks' columns, by OR.
  for (genvar k = 0; k < Banks; k++) begin : gen_collect
    logic [Columns-1:0] data;

    if (k == 0) begin : gen_first
      assign data = gen_bank[k].data & {Columns{bank_select[k]}};
    end else begin : gen_next
      assign data = gen_collect[k-1].data | (gen_bank[k].data & {Columns{bank_select[k]}});
    end
  end
  assign row_data = gen_collect[Banks-1].data;

  if (Ecc == 0) begin : gen_no_poison
    assign is_poisoned = 1'b0;
  end else begin : gen_poison
    logic                   poisoned_q;
    logic [WordsPerRow-1:0] poison;

    ts_ram_1p #(
      .Rows(Lines),
      .Columns(WordsPerRow)
    ) u_poison (
      .clk_i,
      .row_i(line),
      .write_i(select & {WordsPerRow{writes}}),
      .data_i({WordsPerRow{modify_q & rsp_detected_o}}),
      .data_o(poison)
    );

    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        poisoned_q <= 1'b0;
      end else if (take) begin
        poisoned_q <= |(poison & select);
      end
    end
    assign is_poisoned = poisoned_q;
  end

endmodule
