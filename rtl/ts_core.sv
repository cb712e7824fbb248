// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
//
// A neuromorphic core: spikes come in as events for axons, weights of the axons that have one are
// summed axon by axon and group by group, neurons are updated group by group, and those that fire
// send events along their routes (docs/core.md, docs/rtl.md).
//
//   reset    while rst_ni is low a reset is held at its begin; then, one word per clock edge, the
//            accumulators, membranes, refractory counters, the ring and the queue are cleared
//   start_i  a tick begins at this edge; the core must not be busy (busy_o)
//   event_*_i  an event is written into the ring at this edge, in any state
//   event_*_o  an event leaves at the next edge; nothing can stop it
//   boot_*_i   a word of 64 bits is written into an array, or the two registers of the window
//   readout_*  the membrane of a neuron, while readout_i is high
//
// One process does what the state asks for, so that nothing else is computed. It reads what it
// needs before it writes; nothing but the arrays and registers lives from one clock edge to the
// next. Of each array one word is read and one is written per edge, so that it can be a macro with
// two ports (the ring has a second write port, for events; the readout needs none of its own, for
// the core is idle then).
//
// Parameters: Axons 16 to 1024, Neurons 16 to 1024, Destinations 2 to 16384, Queue 2 to 64, each a
// power of two; MembraneBits 16 or 24; Overflow of membranes: 0 wraps, 1 saturates, 2 saturates
// symmetrically; Watchdog: cycles of a tick, more than a reset takes.
// Latency: a tick takes as many edges as docs/core.md says. Reset: synchronous.
// Injectable state: all of it (lint/ts_core_storage.vlt).

module ts_core #(
  parameter int unsigned Axons        = 16,
  parameter int unsigned Neurons      = 16,
  parameter int unsigned MembraneBits = 24,
  parameter int unsigned Destinations = 64,
  parameter int unsigned Queue        = 16,
  parameter int unsigned Overflow     = 0,
  parameter int unsigned Watchdog     = 332,
  localparam int unsigned NeuronBits  = $clog2(Neurons)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  input  logic                    start_i,
  output logic                    busy_o,
  output logic [1:0]              error_o,

  input  logic                    event_valid_i,
  input  logic [9:0]              event_axon_i,
  input  logic [3:0]              event_slot_i,

  output logic                    event_valid_o,
  output logic [7:0]              event_core_o,
  output logic [9:0]              event_axon_o,
  output logic [3:0]              event_slot_o,

  input  logic                    boot_valid_i,
  input  logic [2:0]              boot_array_i,    // 0 synapses, 1 parameters, 2 routes,
                                                   // 3 destinations, 4 window {ticks, first_tick}
  input  logic [19:0]             boot_address_i,  // word of the array
  input  logic [3:0]              boot_part_i,     // 64 bits of it
  input  logic [63:0]             boot_data_i,

  input  logic                    readout_i,
  input  logic [NeuronBits-1:0]   readout_neuron_i,
  output logic [MembraneBits-1:0] readout_o
);

  localparam int unsigned Lanes           = 8;
  localparam int unsigned Slots           = 16;
  localparam int unsigned SumBits         = 24;
  localparam int unsigned ParameterBits   = 96;
  localparam int unsigned Groups          = Neurons / Lanes;
  localparam int unsigned RingBits        = (Axons < 64) ? Axons : 64;
  localparam int unsigned RingWords       = Axons / RingBits;
  localparam int unsigned AxonBits        = $clog2(Axons);
  localparam int unsigned BitBits         = $clog2(RingBits);
  localparam int unsigned GroupBits       = $clog2(Groups);
  localparam int unsigned WordBits        = (RingWords > 1) ? $clog2(RingWords) : 1;
  localparam int unsigned RingSize        = Slots * RingWords;
  localparam int unsigned RingAddressBits = $clog2(RingSize);
  localparam int unsigned SynapseBits     = AxonBits + GroupBits;
  localparam int unsigned TableBits       = $clog2(Destinations);
  localparam int unsigned QueueBits       = $clog2(Queue);
  localparam int unsigned WatchBits       = $clog2(Watchdog + 1);
  localparam int unsigned MostWords       = (RingSize > Groups) ? RingSize : Groups;
  localparam int unsigned ProductBits     = MembraneBits + 14;
  localparam int unsigned ResetWords      = (MostWords > Queue) ? MostWords : Queue;

  localparam logic [3:0] StIdle        = 4'd0;
  localparam logic [3:0] StReset       = 4'd1;
  localparam logic [3:0] StLatch       = 4'd2;
  localparam logic [3:0] StScan        = 4'd3;
  localparam logic [3:0] StSumRead     = 4'd4;
  localparam logic [3:0] StSumWrite    = 4'd5;
  localparam logic [3:0] StUpdateRead  = 4'd6;
  localparam logic [3:0] StUpdateWrite = 4'd7;
  localparam logic [3:0] StEmit        = 4'd8;
  localparam logic [3:0] StDone        = 4'd9;

  // Lane i of a word lies at i times the lane's bits. A neuron's parameters, from bit 0 on:
  // threshold 24, bias 24, reset 24, leak 13, refractory period 4, enable, reset mode, leak
  // rounding 2, refractory mode, spare 2. A route: first, count. A destination: valid, core 8,
  // axon 10, delay 4. An entry of the queue: core, axon, slot.
  logic [63:0]                   synapses_q      [Axons * Groups];
  logic [Lanes*ParameterBits-1:0] parameters_q   [Groups];
  logic [2*TableBits-1:0]        neuron_routes_q [Neurons];
  logic [22:0]                   destinations_q  [Destinations];
  logic [Lanes*SumBits-1:0]      accumulators_q  [Groups];
  logic [Lanes*MembraneBits-1:0] membranes_q     [Groups];
  logic [Lanes*4-1:0]            refractory_q    [Groups];
  logic [RingBits-1:0]           ring_q          [RingSize];
  logic [21:0]                   queue_q         [Queue];

  logic [RingBits-1:0]           pending_q       [RingWords];
  logic [15:0]                   first_tick_q;
  logic [15:0]                   ticks_q;
  logic [3:0]                    state_q;
  logic [AxonBits-1:0]           axon_q;
  logic [GroupBits-1:0]          group_q;
  logic [2:0]                    lane_q;
  logic [TableBits-1:0]          destination_q;
  logic [TableBits-1:0]          remaining_q;
  logic [63:0]                   synapse_latch_q;
  logic [Lanes*SumBits-1:0]      sum_latch_q;
  logic [Lanes*MembraneBits-1:0] membrane_latch_q;
  logic [Lanes*ParameterBits-1:0] parameter_latch_q;
  logic [Lanes*4-1:0]            refractory_latch_q;
  logic [7:0]                    fired_q;
  logic [QueueBits:0]            queue_write_q;
  logic [QueueBits:0]            queue_read_q;
  logic [15:0]                   tick_q;
  logic [WatchBits-1:0]          watch_q;
  logic [1:0]                    error_q;

  // Where the only bit of a word is.
  function automatic [5:0] position_of(input [63:0] one_hot);
    position_of = {|(one_hot & 64'hffffffff00000000), |(one_hot & 64'hffff0000ffff0000),
                   |(one_hot & 64'hff00ff00ff00ff00), |(one_hot & 64'hf0f0f0f0f0f0f0f0),
                   |(one_hot & 64'hcccccccccccccccc), |(one_hot & 64'haaaaaaaaaaaaaaaa)};
  endfunction

  // A number in a membrane's range.
  function automatic [MembraneBits-1:0] clipped(input [31:0] value);
    logic signed [31:0] most;
    logic signed [31:0] least;
    most  = 32'sd1 <<< (MembraneBits - 1);
    most  = most - 32'sd1;
    least = (Overflow == 2) ? -most : -most - 32'sd1;
    if ((Overflow != 0) && ($signed(value) > most)) begin
      clipped = MembraneBits'(most);
    end else if ((Overflow != 0) && ($signed(value) < least)) begin
      clipped = MembraneBits'(least);
    end else begin
      clipped = MembraneBits'(value);
    end
  endfunction

  // What leaks off a membrane.
  function automatic [31:0] leak_of(input [MembraneBits-1:0] membrane, input [12:0] leak,
                                    input [1:0] rounding);
    logic signed [ProductBits-1:0] product;
    logic                          is_negative;
    logic                          is_up;
    product     = ProductBits'($signed(membrane)) * ProductBits'($signed({1'b0, leak}));
    is_negative = product[ProductBits-1];
    is_up       = (|product[11:0]) && (((rounding == 2'd1) && is_negative) ||
                                       ((rounding == 2'd2) && !is_negative));
    leak_of     = 32'($signed(product[ProductBits-1:12])) + 32'(is_up);
  endfunction

  // A neuron's tick: {it fires, its refractory counter, its membrane}.
  function automatic [MembraneBits+4:0] updated(input [ParameterBits-1:0] parameters,
                                                input [MembraneBits-1:0]  membrane,
                                                input [3:0]               refractory,
                                                input [SumBits-1:0]       sum);
    logic [31:0]             whole;
    logic [MembraneBits-1:0] charged;
    logic signed [31:0]      threshold;
    logic                    fires;
    logic [3:0]              left;
    left = (refractory == 4'd0) ? 4'd0 : refractory - 4'd1;
    if (parameters[93] && (refractory != 4'd0)) begin
      updated = {1'b0, left, membrane};
    end else begin
      threshold = 32'($signed(parameters[23:0]));
      whole     = 32'($signed(membrane)) - leak_of(membrane, parameters[84:72], parameters[92:91]) +
                  32'($signed(sum)) + 32'($signed(parameters[47:24]));
      charged   = clipped(whole);
      fires     = parameters[89] && (refractory == 4'd0) && (32'($signed(charged)) >= threshold);
      if (!fires) begin
        updated = {1'b0, left, charged};
      end else if (parameters[90]) begin
        updated = {1'b1, parameters[88:85], clipped(32'($signed(charged)) - threshold)};
      end else begin
        updated = {1'b1, parameters[88:85], MembraneBits'(parameters[71:48])};
      end
    end
  endfunction

  always_ff @(posedge clk_i) begin : update
    logic                          was_busy;
    logic [QueueBits:0]            level;        // entries of the queue before the edge
    logic                          group_ends;   // the next group's turn has come
    logic                          any_pending;
    logic [WordBits-1:0]           word;
    logic [RingAddressBits-1:0]    ring_address;
    logic [RingBits-1:0]           lowest;
    logic [Lanes*SumBits-1:0]      sums;
    logic [Lanes*MembraneBits-1:0] membranes;
    logic [Lanes*4-1:0]            refractory;
    logic [MembraneBits+4:0]       neuron;
    logic [7:0]                    lowest_fired;
    logic [2:0]                    lane;
    logic                          lane_ends;    // the lane has sent all its events
    logic [2*TableBits-1:0]        route;
    logic [22:0]                   destination;
    logic [WatchBits:0]            watched;
    logic [15:0]                   since;

    was_busy   = (state_q != StIdle) && (state_q != StDone);
    level      = queue_write_q - queue_read_q;
    group_ends = 1'b0;
    if (level != '0) begin
      queue_read_q = queue_read_q + 1'b1;
    end

    if (!rst_ni) begin
      state_q       = StReset;
      axon_q        = '0;
      group_q       = '0;
      lane_q        = '0;
      destination_q = '0;
      remaining_q   = '0;
      fired_q       = '0;
      queue_write_q = '0;
      queue_read_q  = '0;
      tick_q        = '1;
      watch_q       = '0;
      error_q       = '0;
      for (int unsigned i = 0; i < RingWords; i++) begin
        pending_q[i] = '0;
      end
    end else begin
      case (state_q)
        StReset: begin
          if (32'(watch_q) < Groups) begin
            accumulators_q[GroupBits'(watch_q)] <= '0;
            membranes_q[GroupBits'(watch_q)]    <= '0;
            refractory_q[GroupBits'(watch_q)]   <= '0;
          end
          if (32'(watch_q) < RingSize) begin
            ring_q[RingAddressBits'(watch_q)] <= '0;
          end
          if (32'(watch_q) < Queue) begin
            queue_q[QueueBits'(watch_q)] <= '0;
          end
          if (32'(watch_q) >= ResetWords - 1) begin
            state_q = StIdle;
          end
        end

        StLatch: begin
          word                 = WordBits'(axon_q >> BitBits);
          ring_address         = RingAddressBits'({tick_q[3:0]} * RingWords) +
                                 RingAddressBits'(word);
          pending_q[word]      = ring_q[ring_address];
          ring_q[ring_address] <= '0;
          axon_q               = axon_q + AxonBits'(RingBits);
          if (32'(word) == RingWords - 1) begin
            any_pending = 1'b0;
            for (int unsigned i = 0; i < RingWords; i++) begin
              any_pending = any_pending | (pending_q[i] != '0);
            end
            group_q = '0;
            state_q = any_pending ? StScan : StUpdateRead;
          end
        end

        StScan: begin
          group_q     = '0;
          any_pending = 1'b0;
          word        = '0;
          lowest      = '0;
          for (int unsigned i = 0; i < RingWords; i++) begin
            if (pending_q[RingWords-1-i] != '0) begin
              any_pending = 1'b1;
              word        = WordBits'(RingWords - 1 - i);
              lowest      = pending_q[RingWords-1-i];
            end
          end
          lowest = lowest & (~lowest + 1'b1);
          if (any_pending) begin
            pending_q[word] = pending_q[word] ^ lowest;
            axon_q          = AxonBits'({26'(word), 6'd0} >> (6 - BitBits)) |
                              AxonBits'(position_of(64'(lowest)));
            state_q         = StSumRead;
          end else begin
            state_q = StUpdateRead;
          end
        end

        StSumRead: begin
          synapse_latch_q = synapses_q[{axon_q, group_q}];
          sum_latch_q     = accumulators_q[group_q];
          state_q         = StSumWrite;
        end

        StSumWrite: begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            sums[i*SumBits +: SumBits] = sum_latch_q[i*SumBits +: SumBits] +
                                         SumBits'($signed(synapse_latch_q[i*8 +: 8]));
          end
          accumulators_q[group_q] <= sums;
          any_pending = 1'b0;
          for (int unsigned i = 0; i < RingWords; i++) begin
            any_pending = any_pending | (pending_q[i] != '0);
          end
          state_q = (32'(group_q) != Groups - 1) ? StSumRead : any_pending ? StScan : StUpdateRead;
          group_q = group_q + 1'b1;
        end

        StUpdateRead: begin
          sum_latch_q        = accumulators_q[group_q];
          membrane_latch_q   = membranes_q[group_q];
          parameter_latch_q  = parameters_q[group_q];
          refractory_latch_q = refractory_q[group_q];
          state_q            = StUpdateWrite;
        end

        StUpdateWrite: begin
          for (int unsigned i = 0; i < Lanes; i++) begin
            neuron = updated(parameter_latch_q[i*ParameterBits +: ParameterBits],
                             membrane_latch_q[i*MembraneBits +: MembraneBits],
                             refractory_latch_q[i*4 +: 4], sum_latch_q[i*SumBits +: SumBits]);
            membranes[i*MembraneBits +: MembraneBits] = neuron[MembraneBits-1:0];
            refractory[i*4 +: 4]                      = neuron[MembraneBits +: 4];
            fired_q[i]                                = neuron[MembraneBits+4];
          end
          membranes_q[group_q]    <= membranes;
          refractory_q[group_q]   <= refractory;
          accumulators_q[group_q] <= '0;
          state_q                 = StEmit;
          group_ends              = (fired_q == '0);
        end

        StEmit: begin
          lane      = lane_q;
          lane_ends = 1'b0;
          if (remaining_q == '0) begin
            // The lowest lane that has fired; none, after a strike: the group ends.
            lowest_fired = fired_q & (~fired_q + 8'd1);
            lane         = 3'(position_of({56'd0, lowest_fired}));
            group_ends   = (fired_q == '0);
            if (!group_ends) begin
              route         = neuron_routes_q[{group_q, lane}];
              lane_q        = lane;
              destination_q = route[TableBits-1:0];
              remaining_q   = route[2*TableBits-1:TableBits];
              lane_ends     = (remaining_q == '0);
            end
          end else begin
            destination = destinations_q[destination_q];
            if (!(destination[0] && level[QueueBits])) begin
              if (destination[0]) begin
                queue_q[queue_write_q[QueueBits-1:0]] <=
                    {destination[22:19] + tick_q[3:0], destination[18:1]};
                queue_write_q = queue_write_q + 1'b1;
              end
              lane_ends     = (remaining_q == TableBits'(1));
              destination_q = destination_q + 1'b1;
              remaining_q   = remaining_q - 1'b1;
            end
          end
          if (lane_ends) begin
            fired_q    = fired_q & ~(8'd1 << lane);
            group_ends = (fired_q == '0);
          end
        end

        default: begin  // idle, done, and codes that no state has
          state_q = StIdle;
        end
      endcase

      if (group_ends) begin
        state_q = (32'(group_q) == Groups - 1) ? StDone : StUpdateRead;
        group_q = group_q + 1'b1;
      end

      if (was_busy) begin
        watched = {1'b0, watch_q} + 1'b1;
        watch_q = watched[WatchBits-1:0];
        if (32'(watched) >= Watchdog) begin
          error_q[0] = 1'b1;
        end
      end

      if (start_i) begin
        if (was_busy) begin
          error_q[1] = 1'b1;
        end else begin
          tick_q  = tick_q + 16'd1;
          watch_q = '0;
          axon_q  = '0;
          since   = tick_q - first_tick_q;
          state_q = (since < ticks_q) ? StLatch : StIdle;
        end
      end
    end

    if (event_valid_i) begin
      ring_q[RingAddressBits'({event_slot_i} * RingWords) +
             RingAddressBits'(AxonBits'(event_axon_i) >> BitBits)]
            [BitBits'(event_axon_i)] <= 1'b1;
    end

    if (boot_valid_i) begin
      case (boot_array_i)
        3'd0: synapses_q[SynapseBits'(boot_address_i)] <= boot_data_i;
        3'd1: parameters_q[GroupBits'(boot_address_i)][boot_part_i*64 +: 64] <= boot_data_i;
        3'd2: neuron_routes_q[NeuronBits'(boot_address_i)] <= (2*TableBits)'(boot_data_i);
        3'd3: destinations_q[TableBits'(boot_address_i)] <= 23'(boot_data_i);
        3'd4: begin
          first_tick_q = boot_data_i[15:0];
          ticks_q      = boot_data_i[31:16];
        end
        default: begin
        end
      endcase
    end
  end

  assign busy_o        = (state_q != StIdle) && (state_q != StDone);
  assign error_o       = error_q;
  assign event_valid_o = (queue_write_q != queue_read_q);
  assign {event_slot_o, event_axon_o, event_core_o} = queue_q[queue_read_q[QueueBits-1:0]];

  always_comb begin : read_membrane
    logic [Lanes*MembraneBits-1:0] membranes;
    readout_o = '0;
    if (readout_i) begin
      membranes = membranes_q[readout_neuron_i[NeuronBits-1:3]];
      readout_o = membranes[readout_neuron_i[2:0]*MembraneBits +: MembraneBits];
    end else begin
      membranes = '0;
    end
  end

endmodule
