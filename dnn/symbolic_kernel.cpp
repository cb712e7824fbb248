// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/symbolic_kernel.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>

#include "base/error.h"
#include "dnn/operator_kernel.h"

namespace tilestrike::dnn {
namespace {

/// Integers overflow and quotients by zero give nothing; so does an integer operation on reals.
using Result = std::optional<c10::IValue>;
using Operands = std::vector<c10::IValue>;

double real(const c10::IValue& value) { return value.toScalar().toDouble(); }

bool are_integers(const Operands& operands) {
  for (const c10::IValue& operand : operands) {
    if (!operand.isInt()) {
      return false;
    }
  }
  return true;
}

/// `exact` says whether the operation overflows, and gives its result otherwise.
template <class Exact, class Real>
Result computed(const Operands& x, const Exact& exact, const Real& real_operation) {
  if (!are_integers(x)) {
    return real_operation(real(x[0]), real(x[1]));
  }
  std::int64_t result = 0;
  const bool overflows = exact(x[0].toInt(), x[1].toInt(), &result);
  return overflows ? std::nullopt : Result(result);
}

Result add(const Operands& x) {
  return computed(
      x, [](auto a, auto b, auto* sum) { return __builtin_add_overflow(a, b, sum); },
      std::plus<double>());
}

Result subtract(const Operands& x) {
  return computed(
      x, [](auto a, auto b, auto* rest) { return __builtin_sub_overflow(a, b, rest); },
      std::minus<double>());
}

Result multiply(const Operands& x) {
  return computed(
      x, [](auto a, auto b, auto* product) { return __builtin_mul_overflow(a, b, product); },
      std::multiplies<double>());
}

/// Rounded down.
Result quotient(const Operands& x) {
  if (!are_integers(x) || x[1].toInt() <= 0) {
    return std::nullopt;
  }
  const std::int64_t a = x[0].toInt(), b = x[1].toInt();
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Never negative.
Result remainder(const Operands& x) {
  if (!are_integers(x) || x[1].toInt() <= 0) {
    return std::nullopt;
  }
  const std::int64_t a = x[0].toInt(), b = x[1].toInt();
  return a % b + (a % b < 0 ? b : 0);
}

Result divide(const Operands& x) {
  return real(x[1]) == 0.0 ? std::nullopt : Result(real(x[0]) / real(x[1]));
}

Result larger(const Operands& x) { return real(x[0]) < real(x[1]) ? x[1] : x[0]; }
Result smaller(const Operands& x) { return real(x[1]) < real(x[0]) ? x[1] : x[0]; }
Result as_real(const Operands& x) { return real(x[0]); }
Result negative(const Operands& x) {
  return x[0].isInt() ? subtract({std::int64_t{0}, x[0]}) : Result(-real(x[0]));
}
Result square_root(const Operands& x) { return std::sqrt(real(x[0])); }
Result whole(const Operands& x) {
  const double rounded = std::trunc(real(x[0]));
  return x[0].isInt() ? Result(x[0])
         : std::abs(rounded) <= static_cast<double>(kLargestInteger)
             ? Result(static_cast<std::int64_t>(rounded))
             : std::nullopt;
}

/// Of whole numbers a whole number, as long as the exponent is not negative.
Result power(const Operands& x) {
  if (!are_integers(x) || x[1].toInt() < 0) {
    return std::pow(real(x[0]), real(x[1]));
  }
  Result result = c10::IValue(std::int64_t{1});
  for (std::int64_t i = 0; i < x[1].toInt() && result; ++i) {
    result = i > 62 ? std::nullopt : multiply({*result, x[0]});
  }
  return result;
}

template <class Compare>
Result compared(const Operands& x) {
  return Compare()(real(x[0]), real(x[1]));
}
bool is_true(const c10::IValue& value) {
  return value.isBool() ? value.toBool() : real(value) != 0;
}
Result both(const Operands& x) { return is_true(x[0]) && is_true(x[1]); }
Result either(const Operands& x) { return is_true(x[0]) || is_true(x[1]); }
Result opposite(const Operands& x) { return !is_true(x[0]); }

struct Operation {
  std::size_t operands = 2;
  Result (*compute)(const Operands&) = nullptr;
};

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> all{
      {"_operator.add", {2, &add}},
      {"_operator.sub", {2, &subtract}},
      {"_operator.mul", {2, &multiply}},
      {"_operator.floordiv", {2, &quotient}},
      {"_operator.mod", {2, &remainder}},
      {"_operator.truediv", {2, &divide}},
      {"torch.sym_max", {2, &larger}},
      {"torch.sym_min", {2, &smaller}},
      {"torch.sym_float", {1, &as_real}},
      {"_operator.neg", {1, &negative}},
      {"_operator.pow", {2, &power}},
      {"torch.sym_int", {1, &whole}},
      {"math.trunc", {1, &whole}},
      {"torch.sym_sqrt", {1, &square_root}},
      {"_operator.eq", {2, &compared<std::equal_to<>>}},
      {"_operator.ne", {2, &compared<std::not_equal_to<>>}},
      {"_operator.lt", {2, &compared<std::less<>>}},
      {"_operator.le", {2, &compared<std::less_equal<>>}},
      {"_operator.gt", {2, &compared<std::greater<>>}},
      {"_operator.ge", {2, &compared<std::greater_equal<>>}},
      {"_operator.and_", {2, &both}},
      {"_operator.or_", {2, &either}},
      {"torch.sym_not", {1, &opposite}},
  };
  return all;
}

class SymbolicKernel final : public Kernel {
 public:
  explicit SymbolicKernel(const Operation& operation) : operation_(operation) {}

  void run(const Layer& layer, Values& values) const override {
    Operands operands;
    for (const Argument& argument : layer.arguments) {
      operands.push_back(argument.kind == Argument::Kind::kValue
                             ? values[argument.values.front().value]
                             : argument.constant);
    }
    const Result result = operation_.compute(operands);
    const bool is_beyond = !result || (result->isInt() ? std::abs(result->toInt()) > kLargestInteger
                                       : result->isDouble() ? !std::isfinite(result->toDouble())
                                                            : false);
    if (is_beyond) {
      std::string from;
      for (const c10::IValue& operand : operands) {
        from += (from.empty() ? "" : " and ") +
                (operand.isInt() ? std::to_string(operand.toInt()) : std::to_string(real(operand)));
      }
      fail(ErrorCode::kInvalidInput,
           "layer '" + layer.name + "' (" + layer.target +
               ") computes a size beyond all bounds from " + from,
           layer.source, "check the arithmetic on sizes in the model");
    }
    values[layer.outputs.front().value] = *result;
  }

 private:
  Operation operation_;
};

}  // namespace

std::shared_ptr<const Kernel> make_symbolic_kernel(const std::string& target) {
  const auto found = operations().find(target);
  return found == operations().end() ? nullptr : std::make_shared<SymbolicKernel>(found->second);
}

std::size_t symbolic_operands(const std::string& target) {
  return operations().at(target).operands;
}

}  // namespace tilestrike::dnn
