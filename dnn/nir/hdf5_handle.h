// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// HDF5's C interface: handles that close themselves, calls that must not fail.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace tilestrike::dnn {

/// One identifier of HDF5, closed at the end.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(Hdf5Handle&&) = delete;
  ~Hdf5Handle() {
    if (id_ >= 0) {
      close_(id_);
    }
  }
  hid_t id() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

/// Throws Failure: HDF5 cannot do what it was asked; says why as HDF5 does.
[[noreturn]] void hdf5_failed(const std::string& what, const std::string& where);

/// `result`, which is negative where HDF5 has failed.
template <class Result>
Result hdf5_checked(Result result, const std::string& what, const std::string& where) {
  if (result < 0) {
    hdf5_failed(what, where);
  }
  return result;
}

}  // namespace tilestrike::dnn
