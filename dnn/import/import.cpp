// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/import.h"

#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/error.h"
#include "dnn/import/importer.h"
#include "dnn/import/pt2_archive.h"

namespace tilestrike::dnn {

Network import_pt2(const std::string& path, c10::Device device, const std::string& output) {
  Pt2Archive archive(path);
  std::string what;
  try {
    Program program;
    program.path = path;
    program.graph = read_pt2_graph(archive.program(), path);
    program.weight = [&](const std::string& name) { return archive.tensor(name, device); };
    program.how_to_write = "export the model again with PyTorch 2.13";
    return Importer(program, device, output).import();
  } catch (const nlohmann::json::exception& error) {
    what = error.what();
  } catch (const c10::Error& error) {
    what = error.what_without_backtrace();
    what = what.substr(0, what.find('\n'));
  } catch (const std::bad_alloc&) {
    what = "it asks for more memory than there is";
  } catch (const std::length_error&) {
    what = "it asks for more memory than there can be";
  }
  fail(ErrorCode::kInvalidInput, "the graph does not hang together: " + what, path,
       "copy the file again, or export the model again with PyTorch 2.13");
}

}  // namespace tilestrike::dnn
