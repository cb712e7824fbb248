// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/network_places.h"

#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bridge/exposure/contents.h"
#include "bridge/exposure/element_places.h"
#include "bridge/exposure/memory_contents.h"
#include "bridge/exposure/stored_operands.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/made_up_image.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/workload.h"
#include "dnn/executor.h"
#include "dnn/integer/quantise.h"

namespace tilestrike::bridge {
namespace {

/// The integer network on an accelerator with memories, run once.
struct Mapped {
  dnn::Network network;
  dnn::Tape tape;
  Mapping mapping;

  static dnn::Network quantised(const NetworkSource& source) {
    const dnn::Network network = network_on_cpu(source);
    check_takes_one_image(network, source.model);
    return dnn::quantise(network, made_up_image(network));
  }
  Mapped(const NetworkSource& source, const AcceleratorConfig& accelerator)
      : network(quantised(source)),
        tape(dnn::Executor(network).record(made_up_image(network))),
        mapping(network, tape, accelerator) {}
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
};

void check_memories(const AcceleratorConfig& accelerator) {
  if (!Placement::has_memories(accelerator)) {
    fail(ErrorCode::kInvalidInput, "the accelerator has no memories", accelerator.name,
         "give it a map 'memory', as the named ones have (`tilestrike list accelerators`)");
  }
}

class Places final : public NetworkPlaces {
 public:
  Places(const NetworkSource& source, const AcceleratorConfig& accelerator)
      : mapped_(source, accelerator),
        operands_(mapped_.network, mapped_.mapping),
        residency_(mapped_.mapping.schedule()),
        places_(residency_,
                [this](std::size_t layer, std::size_t operand) -> const std::vector<std::int64_t>& {
                  return operands_.order(layer, operand, mapped_.tape);
                }),
        answer_(mapped_.mapping.work()
                    .tensor_of[static_cast<std::size_t>(mapped_.network.output.value)]) {}

  Cycle period() const override { return residency_.schedule().cycles_per_inference(); }

  std::vector<HeldContent> held_in(std::size_t memory, sim::CodewordBit bit) const override {
    return torch_call([&] {
      std::vector<HeldContent> all;
      for (HeldBit& held : places_.held_in(memory, bit)) {
        all.push_back(content_of(std::move(held)));
      }
      return all;
    });
  }

  std::vector<ElementLocation> places_of(const std::string& name, std::int64_t element,
                                         int bit) const override {
    const std::vector<StoredTensor>& tensors = residency_.placement().tensors();
    std::vector<std::string> names;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      names.push_back(tensors[i].name);
      if (tensors[i].name == name) {
        check_inside("--element", element, tensors[i].elements, name);
        check_inside("--bit", bit, places_.bits_of(static_cast<int>(i)), "an element of " + name);
        return torch_call([&] { return places_of_tensor(static_cast<int>(i), element, bit); });
      }
    }
    fail(ErrorCode::kNotFound, "no tensor of the network is named '" + name + "'", "--tensor",
         suggestion(name, names));
  }

 private:
  static void check_inside(const std::string& flag, std::int64_t number, std::int64_t size,
                           const std::string& what) {
    if (number < 0 || number >= size) {
      fail(ErrorCode::kInvalidInput, std::to_string(number) + " is out of range for " + what, flag,
           "allowed: 0 to " + std::to_string(size - 1));
    }
  }

  std::vector<ElementLocation> places_of_tensor(int tensor, std::int64_t element, int bit) const {
    std::vector<ElementLocation> all;
    for (PlacedBit& place : places_.places_of(tensor, element, bit)) {
      all.push_back({place.memory, place.bit, content_of(std::move(place.held))});
    }
    return all;
  }

  HeldContent content_of(HeldBit held) const {
    HeldContent content;
    const Copies& copies = *held.occupant.copies;
    content.kind = sim::name_of(copies.role());
    if (held.occupant.has_layer()) {
      content.layer = mapped_.network.layers[held.occupant.layer].name;
    }
    if (held.tensor >= 0) {
      content.tensor = residency_.placement().tensors()[static_cast<std::size_t>(held.tensor)].name;
      content.element = held.element;
      content.bit = held.bit;
    }
    content.at_boot = held.occupant.written == kBoot;
    content.written = content.at_boot ? 0 : held.occupant.written;
    content.until = held.until;
    content.stays = held.stays;
    content.reads = std::move(held.reads);
    if (held.occupant.is_of(residency_.backing(), Occupant::kNoLayer, answer_)) {
      content.reads.push_back(residency_.memory().answer_read());
    }
    return content;
  }

  Mapped mapped_;
  mutable StoredOperands operands_;  // keeps the orders that it has worked out
  Residency residency_;
  ElementPlaces places_;
  int answer_;
};

}  // namespace

std::unique_ptr<NetworkPlaces> NetworkPlaces::open(const NetworkSource& source,
                                                   const AcceleratorConfig& accelerator) {
  check_memories(accelerator);
  return torch_call([&]() -> std::unique_ptr<NetworkPlaces> {
    return std::make_unique<Places>(source, accelerator);
  });
}

InferenceContents inspect_memories(const NetworkSource& source,
                                   const AcceleratorConfig& accelerator) {
  check_memories(accelerator);
  return torch_call([&] {
    const Mapped mapped(source, accelerator);
    std::vector<std::string> names;
    for (const dnn::Layer& layer : mapped.network.layers) {
      names.push_back(layer.name);
    }
    const auto answer = static_cast<std::size_t>(mapped.network.output.value);
    return contents_of(mapped.mapping.schedule(), std::move(names),
                       mapped.mapping.work().tensor_of[answer]);
  });
}

}  // namespace tilestrike::bridge
