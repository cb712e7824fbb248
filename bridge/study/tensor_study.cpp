// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/tensor_study.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "bridge/schedule/mapping.h"
#include "bridge/study/arithmetic.h"
#include "bridge/study/judging.h"
#include "bridge/study/spiking_workload.h"
#include "bridge/study/struck_activations.h"
#include "bridge/study/struck_floats.h"
#include "bridge/study/struck_weights.h"
#include "bridge/study/torch_call.h"
#include "bridge/study/word_run.h"
#include "bridge/study/workload.h"
#include "bridge/trial/judge.h"
#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/executor.h"
#include "dnn/fixed_batch.h"
#include "dnn/integer/given_quantisation.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/stored_number.h"
#include "dnn/tensor_stores.h"
#include "dnn/word_faults.h"

namespace tilestrike::bridge {
namespace {

constexpr std::size_t kMostToldFaults = 8;
constexpr std::int64_t kBatch = 32;  // where nothing else is asked for

Workload load_of(const StudyInputs& inputs) {
  const bool is_int8 = inputs.format == NumberFormat::integer(8);
  Workload load = load_workload(inputs, is_int8);
  if (!is_int8 && dnn::is_quantised(load.network)) {
    fail(ErrorCode::kInvalidInput,
         "the network is quantised already: its weights are not stored as " + inputs.format.name(),
         inputs.model, "set `format: int8`, or export the network before it is quantised");
  }
  return load;
}

std::int64_t batch_of(const StudyInputs& inputs, const Workload& load) {
  const std::int64_t group = dnn::fixed_batch(load.network);
  if (group > 0 && inputs.batch > 0 && inputs.batch != group) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("batch: {}: the model was exported for batches of {} alone", inputs.batch,
                     group),
         inputs.model, "leave `batch` out, or export the model with a free batch dimension");
  }
  const std::int64_t usual = inputs.is_batch_shared ? kBatch : 1;
  return group > 0 ? group : std::min(inputs.batch > 0 ? inputs.batch : usual, load.images());
}

class TensorStudy final : public Study {
 public:
  explicit TensorStudy(const StudyInputs& inputs)
      : Study(inputs.accelerator.mesh),
        load_(load_of(inputs)),
        is_spiking_(dnn::places_of(load_.network).is_spiking()),
        order_(inputs.is_fixed_order && !is_spiking_ ? std::optional(fix_order(load_, inputs.model))
                                                     : std::nullopt),
        batch_(batch_of(inputs, load_)),
        stores_(load_.network, load_.inputs.narrow(0, std::min<std::int64_t>(images(), 2)),
                inputs.format),
        executor_(load_.network),
        memory_bytes_(inputs.memory_bytes) {
    GoldenRun golden = run_golden(load_, executor_, batch_, inputs,
                                  inputs.format.name() + (order_ ? " fixed_order" : ""));
    golden_answers_ = floats(golden.answers);
    answer_size_ = golden_answers_.size() / static_cast<std::size_t>(images());
    judge_ = judge_of(inputs.judge, golden.answers, load_);
    facts_.golden = std::move(golden.report);
    facts_.golden.warnings = load_.warnings;
    if (order_) {
      const std::vector<std::string> notes =
          compare_with_pytorch(load_, executor_, batch_, golden.answers, *order_);
      facts_.golden.warnings.insert(facts_.golden.warnings.end(), notes.begin(), notes.end());
    }
    for (std::string& note : answer_notes(load_.network, golden.answers)) {
      facts_.golden.warnings.push_back(std::move(note));
    }
    judge_golden(*judge_, golden.answers, facts_);
    facts_.images = images();
    facts_.batch = batch_;
    facts_.hashes = hashes_of(load_, inputs.model);
    facts_.layers = summarise(load_.network, executor_.record(home_batch(0).narrow(0, 1)), nullptr);
    facts_.stores = stores_.all();
    facts_.unstruck = stores_.unstruck();
    for (const TensorStore& store : stores_.all()) {
      activation_bytes_ += is_computed(store.role) ? store.words * batch_ * sizeof(float) : 0;
    }
    if (inputs.is_differential) {
      struck_weights_ = std::make_unique<StruckWeights>(load_.network, stores_);
      struck_floats_ =
          std::make_unique<StruckFloats>(executor_, stores_, order_.has_value() || is_spiking_);
      // Where PyTorch sums, be it in attention alone, so much is computed whole, for all images of
      // a batch, that lists do not pay.
      if (is_spiking_ ||
          (order_ ? order_->left().empty() : inputs.format == NumberFormat::integer(8))) {
        struck_activations_ = std::make_unique<StruckActivations>(load_.network, stores_);
      }
    }
  }

  std::vector<float> golden_answer(ImageId image) override {
    const std::span<const float> answer = golden_of(image.value);
    return {answer.begin(), answer.end()};
  }

  bool stored(ImageId, std::size_t, CodewordBit, Cycle) override {
    TS_CHECK(false, "a study of tensors has no memories");
    return false;
  }

  std::vector<JobResult> strike(std::span<const StrikeJob> jobs, RunObserver* observer) override {
    return torch_call([&] {
      std::vector<JobResult> results(jobs.size());
      std::vector<WordStrike> on_activations;  // of all jobs
      std::vector<std::size_t> job_of;         // by strike on activations
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        const StrikeJob& job = jobs[i];
        TS_CHECK(job.strike.registers.empty() && job.strike.cells.empty(),
                 "a study of tensors has no mesh and no memories");
        const auto [constants, activations] = parts_of(job.strike);
        if (!constants.empty() && activations.empty() && !job.image) {
          results[i].images = strike_constants(constants, observer);
          show_values(job, observer);
          continue;
        }
        const ImageId first = job.image.value_or(ImageId(0));
        const std::int64_t end = job.image ? first.value + 1 : images();
        for (ImageId image = first; image.value < end; ++image.value) {
          if (!constants.empty()) {
            results[i].images.push_back(strike_both(image, constants, activations));
            continue;
          }
          on_activations.push_back({image, activations});
          job_of.push_back(i);
        }
        if (!constants.empty()) {
          tell_faults(job.strike.words, observer);
          tell_images(results[i].images, observer);
          show_values(job, observer);
        }
      }
      std::vector<TrialResult> answers = strike_activations(on_activations, observer);
      for (std::size_t k = 0; k < answers.size(); ++k) {
        results[job_of[k]].images.push_back(std::move(answers[k]));
      }
      for (JobResult& result : results) {
        set_score(*judge_, result);
      }
      if (!on_activations.empty()) {
        show_values(jobs[job_of.front()], observer);
      }
      return results;
    });
  }

 private:
  /// Faults on the activations of one inference of one image.
  struct WordStrike {
    ImageId image;
    std::span<const WordFault> faults;
  };

  using Words = std::span<const WordFault>;

  /// Words of constants, and of activations.
  std::pair<Words, Words> parts_of(const Strike& strike) const {
    const Words words = strike.words;
    const auto is_constant = [&](const WordFault& fault) {
      return !is_computed(stores_.all()[fault.store.value].role);
    };
    TS_CHECK(std::ranges::is_partitioned(words, is_constant),
             "the stores of activations come after those of constants");
    const auto constants =
        static_cast<std::size_t>(std::ranges::partition_point(words, is_constant) - words.begin());
    return {words.first(constants), words.subspan(constants)};
  }

  std::int64_t images() const { return load_.images(); }

  /// Undone before it returns. Of all images.
  std::vector<TrialResult> strike_constants(std::span<const WordFault> faults,
                                            RunObserver* observer) {
    tell_faults(faults, observer);
    std::vector<TrialResult> results;
    const auto add = [&](std::int64_t first, const at::Tensor& answer,
                         const StruckWeights::Words& words) {
      const std::int64_t rows = std::min(answer.size(0), images() - first);
      for (std::int64_t row = 0; row < rows; ++row) {
        TrialResult result = judged(first + row, answer, row, words.changed);
        result.before = words.before;
        result.after = words.after;
        result.layer = stores_.all()[faults.front().store.value].layer;
        results.push_back(std::move(result));
      }
    };
    if (struck_weights_ != nullptr && struck_weights_->takes(faults) && keeps_tapes()) {
      const StruckWeights::Words words = struck_weights_->strike(faults);
      for (std::int64_t first = 0; first < images(); first += batch_) {
        add(first, struck_weights_->answer(kept_tape(first / batch_)), words);
      }
    } else {
      const std::int64_t kept = keep_tapes_for(faults);
      dnn::ConstantStrike strike(stores_, faults);
      for (std::int64_t home = 0; home < homes(); ++home) {
        const auto infer = [&](const dnn::Hook& after) {
          return home < kept ? struck_floats_->answer(kept_tape(home), after)
                             : executor_.run(home_batch(home), after);
        };
        const at::Tensor answer = on_host(strike.run(infer, home + 1 == homes()));
        add(home * batch_, answer, {strike.before(), strike.after(), strike.changed()});
      }
    }
    tell_images(results, observer);
    return results;
  }

  /// Keeps the golden runs of as many batches as the memory holds, where this strike on constants
  /// of a float network can begin with them. Returns how many.
  std::int64_t keep_tapes_for(std::span<const WordFault> faults) {
    if (struck_floats_ == nullptr || !struck_floats_->takes(faults)) {
      return 0;
    }
    const std::int64_t kept = kept_homes();
    for (std::int64_t home = 0; home < kept; ++home) {
      kept_tape(home);
    }
    if (kept > 0) {
      struck_floats_->choose(faults, kept_tape(0));
    }
    return kept;
  }

  /// Batches whose golden runs may be kept: as many as the memory holds.
  std::int64_t kept_homes() const {
    return std::min(homes(), memory_bytes_ / std::max<std::int64_t>(activation_bytes_, 1));
  }

  /// Whether the golden runs of all batches are kept: those of integers alone.
  bool keeps_tapes() const { return activation_bytes_ * homes() <= memory_bytes_; }

  std::int64_t homes() const { return (images() + batch_ - 1) / batch_; }

  const dnn::Tape& kept_tape(std::int64_t home) {
    kept_tapes_.resize(static_cast<std::size_t>(homes()));
    std::optional<dnn::Tape>& tape = kept_tapes_[static_cast<std::size_t>(home)];
    if (!tape) {
      tape = executor_.record(home_batch(home));
    }
    return *tape;
  }

  /// Constants and activations in one inference of an image; either may be none.
  TrialResult strike_both(ImageId image, Words constants, Words activations) {
    const std::int64_t home = image.value / batch_;
    const dnn::Inputs inputs = home_batch(home);
    const dnn::TensorStores::ImageFaults faults{image.value - home * batch_, activations};
    std::vector<dnn::TensorStores::ImageStrike> struck;
    dnn::ConstantStrike strike(stores_, constants);
    const at::Tensor answer = on_host(strike.run(
        [&](const dnn::Hook& after) {
          return stores_.run(executor_, inputs, nullptr, {&faults, 1}, &struck, after);
        },
        true));
    TrialResult result =
        judged(image.value, answer, faults.row, strike.changed() + struck.front().changed);
    result.before = strike.before();
    result.after = strike.after();
    result.layer = stores_.all()[constants.front().store.value].layer;
    return result;
  }

  /// Several in a batch where their images allow it: one result each, which does not depend on the
  /// others.
  std::vector<TrialResult> strike_activations(std::span<const WordStrike> strikes,
                                              RunObserver* observer) {
    std::vector<TrialResult> results(strikes.size());
    for (const auto& [home, rounds] : rounds_of(strikes)) {
      const dnn::Inputs images = home_batch(home);
      const bool is_kept = struck_activations_ != nullptr && home < kept_homes();
      const dnn::Tape* golden = is_kept             ? &kept_tape(home)
                                : rounds.size() > 1 ? tape_of(home)
                                                    : nullptr;
      for (const std::vector<std::size_t>& round : rounds) {
        run_round(home, images, golden, strikes, round, results);
      }
    }
    if (!strikes.empty()) {
      tell_faults(strikes.front().faults, observer);
      tell_images(results, observer);
    }
    return results;
  }

  /// For an observer who wants them: the job's image once more, in its batch.
  void show_values(const StrikeJob& job, RunObserver* observer) {
    if (observer == nullptr || !observer->wants_values()) {
      return;
    }
    const ImageId image = job.image.value_or(job.watched);
    const dnn::Inputs images = home_batch(image.value / batch_);
    const dnn::Tape golden = executor_.record(images);
    WordRun run{
        load_.network, stores_.all(), job.strike.words, golden, image.value % batch_, {}, {}};
    const dnn::Hook see = [&](std::size_t layer, dnn::Values& values) {
      const dnn::ValueId output = load_.network.layers[layer].outputs.front();
      const c10::IValue& value = values[static_cast<std::size_t>(output.value)];
      const c10::IValue& known = golden.values[static_cast<std::size_t>(output.value)];
      if (value.isTensor() && dnn::count_different(value.toTensor(), known.toTensor()) > 0) {
        run.faulty.emplace_back(layer, value.toTensor().clone());
      }
    };
    const auto [constants, activations] = parts_of(job.strike);
    for (const WordFault& fault : constants) {
      run.before.push_back(dnn::word_of(stores_.backing(fault.store).words, fault.word) &
                           stores_.all()[fault.store.value].format.all_bits());
    }
    {
      dnn::ConstantStrike strike(stores_, constants);  // undone before the observer looks
      if (!constants.empty()) {
        strike.run(executor_, images, false);  // after it all words are struck
      }
      const dnn::TensorStores::ImageFaults faults{run.row, activations};
      stores_.run(executor_, images, constants.empty() ? &golden : nullptr, {&faults, 1}, nullptr,
                  see);
    }
    observer->on_words(run);
  }

  using Rounds = std::vector<std::vector<std::size_t>>;  // indices of strikes, no image twice

  /// Every image has one place, row image % batch of batch image / batch: with the same images
  /// around it, its golden answer has the same bits each time.
  dnn::Inputs home_batch(std::int64_t home) const {
    const std::int64_t first = home * batch_;
    const dnn::Inputs own = load_.inputs.narrow(first, std::min(batch_, images() - first));
    return dnn::filled_up(own, dnn::fixed_batch(load_.network)).to(load_.network.device);
  }

  std::map<std::int64_t, Rounds> rounds_of(std::span<const WordStrike> strikes) const {
    std::map<std::int64_t, Rounds> by_home;
    std::map<std::int64_t, std::size_t> seen;  // how often an image was struck so far
    for (std::size_t i = 0; i < strikes.size(); ++i) {
      const std::int64_t image = strikes[i].image.value;
      TS_CHECK(image >= 0 && image < images(), "an image of the study");
      Rounds& rounds = by_home[image / batch_];
      const std::size_t round = seen[image]++;
      if (round >= rounds.size()) {
        rounds.resize(round + 1);
      }
      rounds[round].push_back(i);
    }
    return by_home;
  }

  void run_round(std::int64_t home, const dnn::Inputs& images, const dnn::Tape* golden,
                 std::span<const WordStrike> strikes, const std::vector<std::size_t>& round,
                 std::vector<TrialResult>& results) const {
    std::vector<dnn::TensorStores::ImageFaults> faults;
    for (const std::size_t i : round) {
      faults.push_back({strikes[i].image.value - home * batch_, strikes[i].faults});
    }
    std::vector<dnn::TensorStores::ImageStrike> struck;
    const bool has_lists =
        struck_activations_ != nullptr && golden != nullptr &&
        std::ranges::all_of(faults, [&](const dnn::TensorStores::ImageFaults& image) {
          return struck_activations_->takes(image.faults);
        });
    const at::Tensor answer =
        on_host(has_lists ? struck_activations_->answer(*golden, faults, struck)
                          : stores_.run(executor_, images, golden, faults, &struck));
    for (std::size_t k = 0; k < round.size(); ++k) {
      const WordStrike& strike = strikes[round[k]];
      TrialResult& result = results[round[k]];
      result = judged(strike.image.value, answer, faults[k].row, struck[k].changed);
      result.before = struck[k].before;
      result.after = struck[k].after;
      if (!strike.faults.empty()) {
        result.layer = stores_.all()[strike.faults.front().store.value].layer;
      }
    }
  }

  /// The golden run of a batch, kept until another is asked for; nullptr: it would be too large.
  const dnn::Tape* tape_of(std::int64_t home) {
    if (activation_bytes_ > memory_bytes_) {
      return nullptr;
    }
    if (!tape_ || tape_home_ != home) {
      tape_.reset();
      tape_ = executor_.record(home_batch(home));
      tape_home_ = home;
    }
    return &*tape_;
  }

  std::span<const float> golden_of(std::int64_t image) const {
    return {golden_answers_.data() + static_cast<std::size_t>(image) * answer_size_, answer_size_};
  }

  TrialResult judged(std::int64_t image, const at::Tensor& answers, std::int64_t row,
                     std::int64_t changed) const {
    const at::Tensor host = answers.to(c10::kFloat);
    const float* first = host.data_ptr<float>() + static_cast<std::size_t>(row) * answer_size_;
    const std::span<const float> faulty(first, answer_size_);
    TrialResult result;
    result.activated = changed > 0;
    result.changed_words = changed;
    judge_->conclude(ImageId(image), golden_of(image), faulty, result);
    if (result.judgement.outcome == Outcome::kMasked) {
      result.masked_at = changed > 0 ? MaskedAt::kNetwork : MaskedAt::kUnchanged;
    }
    return result;
  }

  void tell_faults(std::span<const WordFault> faults, RunObserver* observer) const {
    if (observer == nullptr || !observer->listens()) {
      return;
    }
    for (std::size_t i = 0; i < std::min(faults.size(), kMostToldFaults); ++i) {
      const WordFault& fault = faults[i];
      const TensorStore& store = stores_.all()[fault.store.value];
      observer->on_line(fmt::format("{} {} ({}, {}) word {}: keeps {:#x}, flips {:#x}",
                                    name_of(store.role), store.name, store.shape,
                                    store.format.name(), fault.word,
                                    fault.keep & store.format.all_bits(), fault.flip));
    }
    if (faults.size() > kMostToldFaults) {
      observer->on_line(fmt::format("... and {} more words", faults.size() - kMostToldFaults));
    }
  }

  static void tell_images(const std::vector<TrialResult>& results, RunObserver* observer) {
    if (observer == nullptr || !observer->listens() || results.empty()) {
      return;
    }
    const auto visible = std::ranges::count_if(results, [](const TrialResult& result) {
      return result.judgement.outcome != Outcome::kMasked;
    });
    const TrialResult& first = results.front();
    observer->on_line(
        fmt::format("{} words have another value; the first went from {:#x} to "
                    "{:#x}",
                    first.changed_words, first.before, first.after));
    observer->on_line(
        fmt::format("the answer differs from golden on {} of {} images", visible, results.size()));
  }

  Workload load_;
  bool is_spiking_;  // whose float sums have one order already
  std::optional<dnn::FixedOrder>
      order_;  // before the stores, whose kernels round what its own give
  std::unique_ptr<Judge> judge_;
  std::int64_t batch_;
  dnn::TensorStores stores_;
  dnn::Executor executor_;  // after the stores, which change the network
  std::int64_t memory_bytes_;
  std::size_t answer_size_ = 0;
  std::vector<float> golden_answers_;                      // image by image
  std::int64_t activation_bytes_ = 0;                      // of one batch
  std::unique_ptr<StruckWeights> struck_weights_;          // null: every layer is computed whole
  std::unique_ptr<StruckFloats> struck_floats_;            // null: likewise
  std::unique_ptr<StruckActivations> struck_activations_;  // null: a batch is computed whole
  std::vector<std::optional<dnn::Tape>> kept_tapes_;       // by home batch
  std::optional<dnn::Tape> tape_;
  std::int64_t tape_home_ = -1;
};

}  // namespace

std::unique_ptr<Study> open_tensor_study(const StudyInputs& inputs) {
  return std::make_unique<TensorStudy>(inputs);
}

}  // namespace tilestrike::bridge
