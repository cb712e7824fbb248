// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a NIR graph that is no network of ours refused, by the name of its node and with a cure?
#include <gtest/gtest.h>

#include <limits>

#include "tests/dnn/nir_files.h"

namespace tilestrike::dnn {
namespace {

constexpr const char* kMembrane = "ticks: 8\ndt: 0.001\n";

/// The errors of small_nir(), changed.
template <class Change>
std::string refusal(const Change& change) {
  NirTestFile file = small_nir();
  change(file);
  return NirFolder().errors_of_import(file);
}

NirTestFile line_of(const std::vector<std::pair<std::string, NirTestNode>>& inner,
                    const std::vector<double>& input, const std::vector<double>& output) {
  std::vector<std::pair<std::string, NirTestNode>> nodes = {{"input", input_node(input)}};
  nodes.insert(nodes.end(), inner.begin(), inner.end());
  nodes.emplace_back("output", output_node(output));
  return nir_line(nodes);
}

TEST(NirGraphTest, UnknownTypesAreNamedWithWhatIsNear) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["fc"].type = "Afine"; }),
            "net.nir:/node/nodes/fc: node 'fc' is of the unknown type 'Afine'; did you mean "
            "'Affine'?");
  for (const std::string type :
       {"CubaLIF", "CubaLI", "I", "Delay", "Scale", "Threshold", "Conv1d", "NIRGraph"}) {
    const std::string text = refusal([&](NirTestFile& file) { file.nodes["lif"] = {type, {}}; });
    EXPECT_TRUE(text.starts_with("net.nir:/node/nodes/lif: node 'lif' is a " + type +
                                 ", which is not supported; "))
        << text;
  }
}

TEST(NirGraphTest, EdgesMustLeadFromNodeToNodeOnce) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges[1].second = "life"; }),
            "net.nir:/node/edges: an edge from 'fc' to 'life', but there is no node 'life'; did "
            "you mean 'lif'?");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges.push_back(file.edges[0]); }),
            "net.nir:/node/edges: the edge from 'input' to 'fc' stands twice; keep one");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges.pop_back(); }),
            "net.nir:/node/edges: the edges from 'input' end at 'lif', which is no Output; "
            "connect it to 'output'");
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.edges.resize(100'001, {"input", "fc"});
            }),
            "net.nir:/node/edges: there are more than 100000 edges; take edges out: a straight "
            "line of nodes has fewer of them than nodes; write the file with nir.write() of the "
            "Python package nir");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges.clear(); }),
            "net.nir:/node/edges: the edges from 'input' end at 'input', which is no Output; "
            "connect it to 'output'");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["more"] = if_node(2); }),
            "net.nir:/node/edges: node 'more' does not lie between 'input' and 'output'; connect "
            "it, or take it out");
}

TEST(NirGraphTest, RecurrenceAndBranchesAreNamed) {
  const std::string cure =
      "; a network must be a straight line from Input to Output; recurrence and branches are not "
      "supported";
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges.emplace_back("lif", "lif"); }),
            "net.nir:/node/edges: node 'lif' leads to 2 nodes: 'output', 'lif'" + cure);
  EXPECT_EQ(refusal([](NirTestFile& file) { file.edges.emplace_back("input", "lif"); }),
            "net.nir:/node/edges: node 'input' leads to 2 nodes: 'fc', 'lif'" + cure);
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.nodes["a"] = if_node(2);
              file.edges.emplace_back("a", "lif");
            }),
            "net.nir:/node/edges: node 'lif' is fed by 2 nodes: 'fc', 'a'" + cure);
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.edges[2] = {"lif", "input"};
            }),
            "net.nir:/node/edges: the edges lead from 'input' back to itself" + cure);
}

TEST(NirGraphTest, ThereIsOneInputAndOneOutput) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["in2"] = input_node({3}); }),
            "net.nir:/node/nodes: there are several nodes of type Input: 'in2' and 'input'; one is "
            "supported; join them");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["output"] = if_node(2); }),
            "net.nir:/node/nodes: there is no node of type Output; add one");
}

TEST(NirGraphTest, ShapesMustFit) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["input"] = input_node({4}); }),
            "net.nir:/node/nodes/fc: node 'fc' (Affine): its weight takes 3 inputs, but gets the "
            "shape (4); put a Flatten before it, or correct the weight");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["output"] = output_node({3}); }),
            "net.nir:/node/nodes/output: node 'output' (Output) has the shape (3), but gets (2); "
            "correct it, or what is before it");
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.nodes["lif"].values["tau"] = floats({3}, {1, 1, 1});
            }),
            "net.nir:/node/nodes/lif: node 'lif' (LIF): 'tau' has the shape (3), but the neurons "
            "are (2); give one number, or one for each neuron");
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.nodes["fc"].values["bias"] = floats({3}, {1, 1, 1});
            }),
            "net.nir:/node/nodes/fc: node 'fc' (Affine): it has 3 biases for 2 outputs; give one "
            "for each");
  EXPECT_NE(refusal([](NirTestFile& file) {
              file.nodes["fc"].values["weight"] = floats({6}, counted(6, 0, 1));
            }).find("its weight has the shape (6); one of outputs times inputs is read"),
            std::string::npos);
}

constexpr const char* kConv = "net.nir:/node/nodes/conv: node 'conv' (Conv2d): ";

/// The errors of a network with a convolution of a (1, 5, 5) input, one of whose values is changed.
std::string conv_refusal(const std::string& key, const NirTestValue& value,
                         const std::vector<double>& input = {1, 5, 5}) {
  NirTestNode conv = {"Conv2d",
                      {{"weight", floats({2, 1, 3, 3}, counted(18, 0, 1))},
                       {"bias", floats({2}, {0, 0})},
                       {"stride", integers({2, 2})},
                       {"padding", integers({0, 0})},
                       {"dilation", integers({1, 1})},
                       {"groups", number(1)}}};
  conv.values[key] = value;
  return NirFolder().errors_of_import(
      line_of({{"conv", conv}, {"if", if_node(1)}}, input, {2, 2, 2}));
}

TEST(NirGraphTest, ConvolutionsMustBeWhole) {
  const std::string conv = kConv;
  EXPECT_EQ(conv_refusal("groups", number(1)), "");
  EXPECT_EQ(conv_refusal("padding", text("same")),
            conv +
                "its padding is 'same' with a stride of 2, 2; give numbers, 'valid', or 'same' "
                "with a stride of 1");
  EXPECT_EQ(conv_refusal("stride", integers({0, 1})),
            conv +
                "'stride' holds a number that is not an integer from 1 to 1048576; correct the "
                "node");
  EXPECT_EQ(conv_refusal("stride", integers({1, 1, 1})),
            conv + "'stride' is neither one number nor two; give height and width");
  EXPECT_EQ(conv_refusal("paddding", integers({0})),
            conv + "'paddding' is no value of such a node; did you mean 'padding'?");
}

TEST(NirGraphTest, ConvolutionsMustFit) {
  const std::string conv = kConv;
  EXPECT_EQ(
      conv_refusal("dilation", integers({3, 1})),
      conv + "its window reaches over 7 of 5 rows or columns; make the window smaller, or pad");
  EXPECT_EQ(conv_refusal("groups", number(2)),
            conv +
                "its weight (2, 1, 3, 3) in 2 groups does not fit the shape (1, 5, 5); its "
                "channels must be the groups times the weight's, and both divide by groups");
  EXPECT_EQ(conv_refusal("groups", number(1), {1, 25}),
            conv + "it gets the shape (1, 25); it takes channels, height and width");
  EXPECT_EQ(conv_refusal("input_shape", integers({5, 6})),
            conv +
                "its input_shape is (5, 6), but it gets the shape (1, 5, 5); correct it, or "
                "what is before it");
  EXPECT_EQ(conv_refusal("padding", integers({1 << 20, 1 << 20})),
            "net.nir:/node/nodes/conv: a value of the shape (2, 1048578, 1048578); 1 to 16777216 "
            "elements are supported");
}

TEST(NirGraphTest, ValuesMustBeThere) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["lif"].values.erase("r"); }),
            "net.nir:/node/nodes/lif: node 'lif' (LIF): there is no 'r'; write the node with the "
            "package nir");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["lif"].values["r"] = text("two"); }),
            "net.nir:/node/nodes/lif: node 'lif' (LIF): 'r' is missing, or is no number; write the "
            "node with the package nir");
  EXPECT_NE(refusal([](NirTestFile& file) {
              file.nodes["input"].values["shape"] = integers({1 << 12, 1 << 13});
            }).find("a value of the shape (4096, 8192); 1 to 16777216 elements are supported"),
            std::string::npos);
}

TEST(NirGraphTest, SmallFilesOfLargeNetworks) {
  const auto pool = [](double window, double padding) {
    return NirTestNode{"SumPool2d",
                       {{"kernel_size", integers({window, window})},
                        {"stride", integers({1, 1})},
                        {"padding", integers({padding, padding})}}};
  };
  const NirTestNode conv = {"Conv2d",
                            {{"weight", floats({1, 1, 1, 1}, {1})},
                             {"bias", floats({1}, {0})},
                             {"stride", integers({1, 1})},
                             {"padding", integers({0, 0})},
                             {"dilation", integers({1, 1})},
                             {"groups", number(1)}}};
  const NirFolder folder;
  EXPECT_EQ(folder.errors_of_import(line_of({{"pool", pool(1, 2000)},
                                             {"conv", conv},
                                             {"if", if_node(1)},
                                             {"more", conv},
                                             {"if2", if_node(1)}},
                                            {1, 8, 8}, {1, 4008, 4008})),
            "net.nir:/node/nodes/if2: the network has more than 16777216 neurons, up to this node; "
            "make it smaller");
  EXPECT_EQ(folder.errors_of_import(
                line_of({{"pool", pool(500, 500)}, {"conv", conv}, {"if", if_node(1)}}, {1, 8, 8},
                        {1, 509, 509})),
            "net.nir: layer 'if' has 6.47702e+10 synapses; at most 1e+10 are supported");
}

TEST(NirGraphTest, NumbersMustBeFinite) {
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.nodes["fc"].values["weight"].numbers[4] =
                  std::numeric_limits<double>::quiet_NaN();
            }),
            "net.nir: node 'fc': weight has a NaN at place 4; all numbers must be finite, as "
            "float32 too");
  for (const std::string key : {"tau", "r", "v_leak", "v_threshold"}) {
    EXPECT_EQ(refusal([&](NirTestFile& file) {
                file.nodes["lif"].values[key].numbers[1] = 1e200;  // beyond float32
              }),
              "net.nir: node 'lif': " + key +
                  " has an infinity at place 1; all numbers must be finite, as float32 too");
  }
}

TEST(NirGraphTest, TausMustNotBeShorterThanATimeStep) {
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["lif"].values["tau"].numbers[1] = 0; }),
            "net.nir: node 'lif': tau of neuron 1 is 0; it must be above 0");
  EXPECT_EQ(refusal([](NirTestFile& file) { file.nodes["lif"].values["tau"].numbers[0] = 0.0005; }),
            "net.nir: node 'lif': tau of neuron 0 is 0.0005 s, and a time step is longer: dt is "
            "0.001 s; set a dt of at most tau in the side file");
  EXPECT_EQ(refusal([](NirTestFile& file) {
              file.nodes["lif"].values["tau"] = number(0.001, NirTestValue::Type::kFloat64);
            }),
            "");
}

TEST(NirGraphTest, EveryLayerHasItsWeightsInOneNode) {
  const NirFolder folder;
  const NirTestNode pool = {"SumPool2d",
                            {{"kernel_size", integers({1, 1})},
                             {"stride", integers({1, 1})},
                             {"padding", integers({0, 0})}}};
  EXPECT_EQ(
      folder.errors_of_import(line_of(
          {{"a", affine_node(2, 3)}, {"b", affine_node(4, 2)}, {"if", if_node(4)}}, {3}, {4})),
      "net.nir: nodes 'a' and 'b' are two products in a row, without neurons between them; "
      "multiply them into one, or put neurons between them");
  EXPECT_EQ(
      folder.errors_of_import(line_of({{"pool", pool}, {"if", if_node(1)}}, {1, 2, 2}, {1, 2, 2})),
      "net.nir: node 'pool' pools, and nothing linear follows before the neurons 'if'; put a "
      "Linear, Affine or Conv2d behind it, into which it is folded");
  EXPECT_EQ(folder.errors_of_import(line_of({{"if", if_node(3)}}, {3}, {3})),
            "net.nir: the neurons 'if' have no weights before them; put a Linear, Affine or Conv2d "
            "before them");
  EXPECT_NE(folder.errors_of_import(line_of({}, {3}, {3})).find("no layer of neurons"),
            std::string::npos);
  EXPECT_NE(
      folder
          .errors_of_import(line_of({{"fc", affine_node(3, 2)}, {"if", if_node(1)}, {"pool", pool}},
                                    {2, 2, 2}, {2, 2, 3}))
          .find("node 'pool' pools, and nothing linear follows before the Output"),
      std::string::npos);
}

TEST(NirGraphTest, TheLastNeuronsMustGiveTheAnswer) {
  const NirFolder folder;
  EXPECT_EQ(folder.errors_of_import(small_nir(), kMembrane),
            "net.nir: readout: membrane, but the last neurons, 'lif' (LIF), fire; say readout: "
            "count or first_spike, or end the network with an LI, an IF (whose threshold is then "
            "not used), or with weights alone");
  EXPECT_EQ(folder.errors_of_import(line_of({{"fc", affine_node(2, 3)}}, {3}, {2})),
            "net.nir: the readout takes spikes, but the last neurons, 'fc', never fire; say "
            "readout: membrane, or end the network with a LIF or IF");
  NirTestNode li = lif_node(2);
  li.type = "LI";
  li.values.erase("v_threshold");
  EXPECT_EQ(
      folder.errors_of_import(line_of(
          {{"fc", affine_node(2, 3)}, {"li", li}, {"more", affine_node(2, 2)}, {"if", if_node(2)}},
          {3}, {2})),
      "net.nir: node 'li' (LI) never fires, so that it hands on its membrane; only spikes "
      "are handed on: use a LIF there; an LI may be the last");
}

}  // namespace
}  // namespace tilestrike::dnn
