// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/pickle.h"

#include <array>
#include <bit>
#include <string_view>

namespace tilestrike::dnn {

using Kind = PickleValue::Kind;

/// The stack machine that a pickle is a program of (Python's pickletools.py says what each of its
/// instructions does), without those that would run something.
class PickleReader {
 public:
  PickleReader(std::string_view bytes, Pickle& pickle) : bytes_(bytes), pickle_(pickle) {}

  void read() {
    while (pickle_.root_ == nullptr) {
      step(static_cast<unsigned char>(take(1).front()));
    }
  }

 private:
  [[noreturn]] static void damaged(const std::string& what) { throw PickleError(what); }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) {
      damaged("it ends within a value");
    }
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  std::uint64_t take_number(std::size_t bytes) {
    std::uint64_t number = 0;
    const std::string_view taken = take(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[i])) << (8 * i);
    }
    return number;
  }
  std::string take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) {
      damaged("it ends within a name");
    }
    std::string line(take(end - at_));
    take(1);
    return line;
  }

  PickleValue& make(Kind kind) {
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    return value;
  }
  PickleValue& push(Kind kind) {
    PickleValue& value = make(kind);
    stack_.push_back(&value);
    return value;
  }
  void push_number(std::int64_t number) { push(Kind::kInteger).number = number; }
  void push_text(std::uint64_t count) { push(Kind::kText).text = take(count); }
  PickleValue* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
      damaged("it takes more values than it has given");
    }
    PickleValue* top = stack_.back();
    stack_.pop_back();
    return top;
  }
  PickleValue* top() {
    PickleValue* value = pop();
    stack_.push_back(value);
    return value;
  }
  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) {
      damaged("it has no mark where it needs one");
    }
    const std::size_t mark = marks_.back();
    marks_.pop_back();
    std::vector<const PickleValue*> items(stack_.begin() + static_cast<std::ptrdiff_t>(mark),
                                          stack_.end());
    stack_.resize(mark);
    return items;
  }
  void push_list(std::size_t count) {
    std::vector<const PickleValue*> items(count);
    for (std::size_t i = count; i-- > 0;) {
      items[i] = pop();
    }
    push(Kind::kList).items = std::move(items);
  }
  void set_items(const std::vector<const PickleValue*>& items) {
    PickleValue* map = top();
    if (items.size() % 2 != 0 || (map->kind != Kind::kMap && map->kind != Kind::kCall)) {
      damaged("it sets items of what has none");
    }
    for (std::size_t i = 0; i < items.size(); i += 2) {
      map->pairs.emplace_back(items[i], items[i + 1]);
    }
  }
  void append(const std::vector<const PickleValue*>& items) {
    PickleValue* list = top();
    if (list->kind != Kind::kList && list->kind != Kind::kCall) {
      damaged("it appends to what is no list");
    }
    list->items.insert(list->items.end(), items.begin(), items.end());
  }
  void push_call(bool has_keywords) {
    const PickleValue* keywords = has_keywords ? pop() : nullptr;
    const PickleValue* arguments = pop();
    const PickleValue* function = pop();
    PickleValue& call = push(Kind::kCall);
    call.items = {function, arguments};
    if (keywords != nullptr) {
      call.items.push_back(keywords);
    }
  }
  void push_name(const std::string& module, const std::string& name) {
    push(Kind::kName).text = module + "." + name;
  }
  void remember(std::uint64_t place) { memo_[place] = top(); }
  void push_remembered(std::uint64_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) {
      damaged("it refers to a value that it has not given");
    }
    stack_.push_back(found->second);
  }
  void push_long(std::uint64_t bytes) {
    if (bytes > sizeof(std::int64_t)) {
      damaged("it has a number of more than 64 bits");
    }
    const std::uint64_t number = take_number(bytes);
    const std::uint64_t sign = bytes == 0 ? 0 : std::uint64_t{1} << (8 * bytes - 1);
    push_number(static_cast<std::int64_t>((number ^ sign) - sign));
  }

  void step(unsigned char code);
  bool step_value(unsigned char code);
  bool step_structure(unsigned char code);

  std::string_view bytes_;
  std::size_t at_ = 0;
  Pickle& pickle_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, PickleValue*> memo_;
};

bool PickleReader::step_value(unsigned char code) {
  switch (code) {
    case 'N':
      push(Kind::kNone);
      return true;
    case 0x88:
    case 0x89:
      push(Kind::kBool).number = code == 0x88 ? 1 : 0;
      return true;
    case 'K':
      push_number(static_cast<std::int64_t>(take_number(1)));
      return true;
    case 'M':
      push_number(static_cast<std::int64_t>(take_number(2)));
      return true;
    case 'J':
      push_number(static_cast<std::int32_t>(static_cast<std::uint32_t>(take_number(4))));
      return true;
    case 0x8a:
      push_long(take_number(1));
      return true;
    case 0x8b:
      push_long(take_number(4));
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (const char byte : take(8)) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
      }
      push(Kind::kReal).real = std::bit_cast<double>(bits);
      return true;
    }
    case 0x8c:  // text and bytes, with lengths of 1, 4 and 8 bytes
    case 'C':
    case 'U':
      push_text(take_number(1));
      return true;
    case 'X':
    case 'B':
    case 'T':
      push_text(take_number(4));
      return true;
    case 0x8d:
    case 0x8e:
      push_text(take_number(8));
      return true;
    default:
      return false;
  }
}

bool PickleReader::step_structure(unsigned char code) {
  switch (code) {
    case '}':
      push(Kind::kMap);
      return true;
    case ']':
    case ')':
    case 0x8f:
      push(Kind::kList);
      return true;
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case 't':
    case 'l':
    case 0x91: {
      std::vector<const PickleValue*> items = pop_to_mark();
      push(Kind::kList).items = std::move(items);
      return true;
    }
    case 0x85:
    case 0x86:
    case 0x87:
      push_list(code - 0x84U);
      return true;
    case 'd': {
      const std::vector<const PickleValue*> items = pop_to_mark();
      push(Kind::kMap);
      set_items(items);
      return true;
    }
    case 's': {
      const PickleValue* value = pop();
      const PickleValue* key = pop();
      set_items({key, value});
      return true;
    }
    case 'u':
      set_items(pop_to_mark());
      return true;
    case 'a': {
      const PickleValue* item = pop();
      append({item});
      return true;
    }
    case 'e':
    case 0x90:
      append(pop_to_mark());
      return true;
    default:
      return false;
  }
}

void PickleReader::step(unsigned char code) {
  if (step_value(code) || step_structure(code)) {
    return;
  }
  switch (code) {
    case 0x80:  // the protocol
      take(1);
      return;
    case 0x95:  // a frame
      take(8);
      return;
    case 'q':
      return remember(take_number(1));
    case 'r':
      return remember(take_number(4));
    case 0x94:
      return remember(memo_.size());
    case 'h':
      return push_remembered(take_number(1));
    case 'j':
      return push_remembered(take_number(4));
    case 'c': {
      const std::string module = take_line();
      return push_name(module, take_line());
    }
    case 0x93: {
      const std::string name = pop()->text;
      return push_name(pop()->text, name);
    }
    case 'R':
    case 0x81:
      return push_call(false);
    case 0x92:
      return push_call(true);
    case 'b':  // the state of what a call has made: of no matter to a tensor's bytes
      pop();
      top();
      return;
    case 'Q': {
      PickleValue& storage = make(Kind::kStorage);
      storage.items = {pop()};
      stack_.push_back(&storage);
      return;
    }
    case '0':
      pop();
      return;
    case '.':
      pickle_.root_ = pop();
      return;
    default:
      damaged("it has an instruction (code " + std::to_string(code) +
              ") that torch.save does not write");
  }
}

Pickle::Pickle(std::string_view bytes) { PickleReader(bytes, *this).read(); }

namespace {

struct NamedType {
  std::string_view name;
  c10::ScalarType type;
};

/// Classes of storage, without "torch." and "Storage".
constexpr std::array kStorages{NamedType{"Float", c10::kFloat},
                               NamedType{"Double", c10::kDouble},
                               NamedType{"Half", c10::kHalf},
                               NamedType{"BFloat16", c10::kBFloat16},
                               NamedType{"Byte", c10::kByte},
                               NamedType{"Char", c10::kChar},
                               NamedType{"Short", c10::kShort},
                               NamedType{"Int", c10::kInt},
                               NamedType{"Long", c10::kLong},
                               NamedType{"Bool", c10::kBool},
                               NamedType{"ComplexFloat", c10::kComplexFloat},
                               NamedType{"ComplexDouble", c10::kComplexDouble}};
/// Types of what has no storage class of its own, without "torch.".
constexpr std::array kTypes{NamedType{"float8_e4m3fn", c10::ScalarType::Float8_e4m3fn},
                            NamedType{"float8_e5m2", c10::ScalarType::Float8_e5m2},
                            NamedType{"float8_e4m3fnuz", c10::ScalarType::Float8_e4m3fnuz},
                            NamedType{"float8_e5m2fnuz", c10::ScalarType::Float8_e5m2fnuz},
                            NamedType{"uint16", c10::ScalarType::UInt16},
                            NamedType{"uint32", c10::ScalarType::UInt32},
                            NamedType{"uint64", c10::ScalarType::UInt64},
                            NamedType{"complex32", c10::ScalarType::ComplexHalf}};

std::vector<std::int64_t> integers_of(const PickleValue& list) {
  std::vector<std::int64_t> numbers;
  for (const PickleValue* item : list.items) {
    if (item->kind != Kind::kInteger) {
      throw PickleError("a shape that is not made of whole numbers");
    }
    numbers.push_back(item->number);
  }
  return numbers;
}

const PickleValue& argument(const PickleValue& call, std::size_t place) {
  if (call.items.size() < 2 || call.items[1]->items.size() <= place) {
    throw PickleError("a tensor without all of its parts");
  }
  return *call.items[1]->items[place];
}

c10::ScalarType type_of(std::string name, const PickleValue* own_type) {
  const auto find = [](const auto& table, std::string_view wanted) -> const NamedType* {
    for (const NamedType& entry : table) {
      if (entry.name == wanted) {
        return &entry;
      }
    }
    return nullptr;
  };
  const NamedType* found = nullptr;
  if (own_type != nullptr) {
    name = own_type->text;
    found = name.starts_with("torch.") ? find(kTypes, name.substr(6)) : nullptr;
  } else if (name.starts_with("torch.") && name.ends_with("Storage")) {
    found = find(kStorages, name.substr(6, name.size() - 6 - 7));
  }
  if (found == nullptr) {
    throw PickleError("elements of the type " + name);
  }
  return found->type;
}

}  // namespace

StoredTensor stored_tensor(const PickleValue& outer) {
  const PickleValue* value = &outer;
  for (const char* wrapper :
       {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"}) {
    value = value->is_call_of(wrapper) ? &argument(*value, 0) : value;
  }
  const bool has_type = value->is_call_of("torch._utils._rebuild_tensor_v3");
  if (!has_type && !value->is_call_of("torch._utils._rebuild_tensor_v2")) {
    // Subclasses say which they are in their arguments.
    std::string name = value->kind == Kind::kCall ? value->items.front()->text : value->text;
    if (value->kind == Kind::kCall && value->items.size() > 1) {
      for (const PickleValue* item : value->items[1]->items) {
        name = item->kind == Kind::kName && !item->text.starts_with("torch._utils.") ? item->text
                                                                                     : name;
      }
    }
    throw PickleError("a value of the class " + (name.empty() ? "?" : name));
  }
  const PickleValue& storage = argument(*value, 0);
  if (storage.kind != Kind::kStorage || storage.items.front()->items.size() < 5) {
    throw PickleError("a tensor without a storage");
  }
  const std::vector<const PickleValue*>& parts = storage.items.front()->items;
  StoredTensor tensor;
  tensor.record = "data/" + parts[2]->text;
  tensor.type = type_of(parts[1]->text, has_type ? &argument(*value, 6) : nullptr);
  tensor.offset = argument(*value, 1).number;
  tensor.sizes = integers_of(argument(*value, 2));
  tensor.strides = integers_of(argument(*value, 3));
  return tensor;
}

}  // namespace tilestrike::dnn
