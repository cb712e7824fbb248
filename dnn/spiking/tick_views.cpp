// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/tick_views.h"

#include "base/error.h"
#include "dnn/differential/list_kernel.h"
#include "dnn/spiking/check_model.h"

namespace tilestrike::dnn {
namespace {

class SameElements final : public ListKernel {
 public:
  double cost(const ListRun& /*run*/) const override { return 0.0; }
  void run(ListRun& run) const override {
    if (const Changes* changes = run.input_of(run.layer.inputs.front())) {
      run.outputs.front() = *changes;
    }
  }
};

class View : public Kernel {
 public:
  explicit View(Sizes sizes) : sizes_(std::move(sizes)) {}

  void run(const Layer& layer, Values& values) const override {
    values[layer.outputs.front().value] = of(values[layer.inputs.front().value].toTensor());
  }
  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    return Elements::suit(golden.tensor(layer.inputs.front())) ? std::make_unique<SameElements>()
                                                               : nullptr;
  }

 protected:
  virtual at::Tensor of(const at::Tensor& input) const = 0;
  const Sizes& sizes() const { return sizes_; }

 private:
  Sizes sizes_;
};

class OneTick final : public View {
  using View::View;
  at::Tensor of(const at::Tensor& images) const override {
    check_images(images, sizes());
    return images.unsqueeze(0);
  }
};

class Flatten final : public View {
  using View::View;
  at::Tensor of(const at::Tensor& input) const override {
    Sizes all = sizes();
    all.insert(all.begin(), {input.size(0), input.size(1)});
    return input.reshape(all);
  }
};

}  // namespace

std::shared_ptr<const Kernel> make_one_tick(Sizes sizes) {
  return std::make_shared<OneTick>(std::move(sizes));
}

std::shared_ptr<const Kernel> make_flatten(Sizes sizes) {
  return std::make_shared<Flatten>(std::move(sizes));
}

void check_images(const at::Tensor& images, const Sizes& sizes) {
  if (images.dim() < 1 || images.sizes().slice(1) != c10::IntArrayRef(sizes)) {
    fail(ErrorCode::kInvalidInput,
         "the images have the shape " + sizes_text(images.sizes().vec()) +
             ", and the model takes " + sizes_text(sizes) + " behind their number",
         "images", "bring them into the shape of the model's input");
  }
}

}  // namespace tilestrike::dnn
