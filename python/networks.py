# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks of the usual libraries, small, with random weights, as material for checks.

Used by import_coverage.py and check_against_pytorch.py. A library that is not installed has none.
"""

import collections.abc
import dataclasses
import importlib.util
import json
import typing

import numpy
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10
PIXELS = 64


@dataclasses.dataclass
class Network:
    """`make()` builds the module; `inputs(generator)` gives a tuple of two rows of each input."""
    name: str
    family: str
    make: typing.Callable
    inputs: typing.Callable
    output: str = ""  # of several: key or place of the answer
    parameters: int = 0  # where they are many: about how many


def images(pixels=PIXELS, channels=3, rows=2):
    return lambda generator: (torch.randn(rows, channels, pixels, pixels, generator=generator),)


def tokens(length=10, words=90, rows=2, masked=False):
    def draw(generator):
        ids = torch.randint(1, words, (rows, length), generator=generator)
        mask = torch.ones_like(ids)
        mask[-1, length - 3:] = 0
        return (ids, mask) if masked else (ids,)
    return draw


# torchvision

TORCHVISION_PIXELS = {"inception_v3": 80, "maxvit_t": 224, "vit_h_14": 28, "googlenet": 64}


def torchvision_networks():
    import export_torchvision
    models = export_torchvision.import_torchvision().models

    for name in models.list_models(module=models):
        pixels = TORCHVISION_PIXELS.get(name, PIXELS)
        options = {"image_size": pixels} if name.startswith("vit_") else {}
        if name in ("googlenet", "inception_v3"):
            options = {"init_weights": False, "aux_logits": False}
        yield Network(name, "torchvision", lambda name=name, options=options: models.get_model(
            name, weights=None, num_classes=CLASSES, **options), images(pixels),
            parameters=next(iter(models.get_model_weights(name))).meta["num_params"])
    for name in models.list_models(module=models.segmentation):
        yield Network(name, "segmentation", lambda name=name: models.get_model(
            name, weights=None, weights_backbone=None, num_classes=5), images(), output="out")
    for name in models.list_models(module=models.detection):
        yield Network(name, "detection", lambda name=name: BeforeBoxes(models.get_model(
            name, weights=None, weights_backbone=None)), images(320 if "ssd" in name else PIXELS),
            output="0.0" if "rcnn" in name else "cls_logits")


class BeforeBoxes(nn.Module):
    """A detector up to where it chooses boxes: its backbone and the head on every level."""

    def __init__(self, detector):
        super().__init__()
        self.backbone = detector.backbone
        self.head = detector.rpn.head if hasattr(detector, "rpn") else detector.head

    def forward(self, x):
        return self.head(list(self.backbone(x).values()))


# timm

TIMM = """
test_byobnet test_coatnet test_convnext test_convnext2 test_convnext3 test_efficientnet
test_efficientnet_evos test_efficientnet_gn test_efficientnet_ln test_mambaout test_maxvit
test_nfnet test_resnet test_vit test_vit2 test_vit3 test_vit4 test_vit_relpos bat_resnext26ts
botnet26t_256 cait_xxs24_224 coat_tiny convit_tiny convmixer_1024_20_ks9_p14 convnext_atto
convnextv2_atto crossvit_tiny_240 cspresnet50 davit_tiny deit_tiny_patch16_224 densenet121 dla46_c
dpn48b eca_nfnet_l0 edgenext_xx_small efficientformer_l1 efficientformerv2_s0 efficientvit_b0
efficientvit_m0 ese_vovnet19b_slim eva02_tiny_patch14_224 fasternet_t0 fastvit_t8 fbnetc_100
focalnet_tiny_srf gcvit_xxtiny ghostnet_050 gmlp_ti16_224 halonet26t hardcorenas_a hiera_tiny_224
hrnet_w18_small inception_next_atto lambda_resnet26t lcnet_035 levit_128s mambaout_femto
mixer_s32_224 mnasnet_small mobilenetv3_small_050 mobilenetv4_conv_small_035 mobileone_s0
mobilevit_xxs mobilevitv2_050 nest_tiny nextvit_small pit_ti_224 poolformer_s12 poolformerv2_s12
pvt_v2_b0 rdnet_tiny regnetx_002 regnety_002 repvgg_a0 repvit_m0_9 res2net50_48w_2s resmlp_12_224
resnest14d resnet10t rexnet_100 selecsls42b sequencer2d_s seresnet18 shvit_s1 skresnet18 starnet_s1
swiftformer_xs swin_tiny_patch4_window7_224 swinv2_cr_tiny_224 tf_efficientnetv2_b0 tiny_vit_5m_224
tresnet_m twins_pcpvt_small visformer_tiny vit_tiny_patch16_224 volo_d1_224 xception41
xcit_nano_12_p16_224
""".split()
TIMM_OWN_SIZE = {"botnet26t_256": 256, "crossvit_tiny_240": 240, "eva02_tiny_patch14_224": 224,
                 "halonet26t": 256, "convit_tiny": 224}


def timm_networks():
    import export_torchvision
    export_torchvision.import_torchvision()
    import timm

    known = set(timm.list_models())
    for name in TIMM:
        if name in known:
            yield from timm_network(timm, name)


def timm_network(timm, name):
    """The network at a small size where it takes one, else at its own."""
    own = timm.get_pretrained_cfg(name).input_size[-1] if timm.get_pretrained_cfg(name) else 224
    has_own = bool(timm.get_pretrained_cfg(name)) and timm.get_pretrained_cfg(name).fixed_input_size
    pixels = own if has_own or name.startswith("test_") or name in TIMM_OWN_SIZE else PIXELS
    yield Network(name, "timm", lambda: timm.create_model(name, num_classes=CLASSES),
                  images(pixels))


# transformers

class Part(nn.Module):
    """A model of transformers as a function of tensors: one key of what it returns."""

    def __init__(self, model, key, arguments=("input_ids",), **options):
        super().__init__()
        self.model, self.key, self.arguments, self.options = model, key, arguments, options

    def forward(self, one, two=None):
        given = dict(zip(self.arguments, (one, two)))
        return getattr(self.model(**given, **self.options), self.key)


TEXT = ("input_ids", "attention_mask")


def transformers_networks():
    import export_torchvision
    if importlib.util.find_spec("torchvision"):
        export_torchvision.import_torchvision()
    import transformers as T

    base = {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
            "intermediate_size": 64}
    grouped = {**base, "num_key_value_heads": 2}

    def language(name, model, config, arguments=("input_ids",), **options):
        return Network(name, "transformers", lambda: Part(
            getattr(T, model)(getattr(T, config)(**options)), "logits", arguments, use_cache=False),
            tokens(masked=len(arguments) > 1))

    def encoder(name, model, config, key="logits", **options):
        return Network(name, "transformers", lambda: Part(
            getattr(T, model)(getattr(T, config)(**options)), key, TEXT), tokens(masked=True))

    def vision(name, model, config, key="logits", pixels=32, **options):
        return Network(name, "transformers", lambda: Part(
            getattr(T, model)(getattr(T, config)(**options)), key, ("pixel_values",)),
            images(pixels))

    gpt2 = {"vocab_size": 100, "n_positions": 32, "n_embd": 32, "n_layer": 2, "n_head": 4,
            "bos_token_id": 0, "eos_token_id": 0}
    for how in ("sdpa", "eager"):
        yield language(f"gpt2_{how}", "GPT2LMHeadModel", "GPT2Config", **gpt2,
                       attn_implementation=how)
        yield language(f"llama_{how}", "LlamaForCausalLM", "LlamaConfig", **grouped,
                       attn_implementation=how)
        yield encoder(f"bert_{how}", "BertForSequenceClassification", "BertConfig", **base,
                      num_labels=3, attn_implementation=how)
    yield language("gpt2_masked", "GPT2LMHeadModel", "GPT2Config", TEXT, **gpt2)
    yield language("llama_masked", "LlamaForCausalLM", "LlamaConfig", TEXT, **grouped)
    yield language("qwen2", "Qwen2ForCausalLM", "Qwen2Config", TEXT, **grouped)
    yield language("mistral", "MistralForCausalLM", "MistralConfig", **grouped)
    yield language("gemma", "GemmaForCausalLM", "GemmaConfig", **grouped, head_dim=8)
    yield language("phi", "PhiForCausalLM", "PhiConfig", **grouped)
    yield language("gpt_neox", "GPTNeoXForCausalLM", "GPTNeoXConfig", **base)
    yield language("opt", "OPTForCausalLM", "OPTConfig", TEXT, vocab_size=100, hidden_size=32,
                   num_hidden_layers=2, num_attention_heads=4, ffn_dim=64, word_embed_proj_dim=32,
                   max_position_embeddings=32)
    yield language("mamba", "MambaForCausalLM", "MambaConfig", vocab_size=100, hidden_size=32,
                   num_hidden_layers=2, state_size=8)
    yield encoder("t5_encoder", "T5EncoderModel", "T5Config", "last_hidden_state", vocab_size=100,
                  d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    yield encoder("roberta", "RobertaForSequenceClassification", "RobertaConfig", **base,
                  num_labels=3)
    yield encoder("bert_masked_words", "BertForMaskedLM", "BertConfig", **base)
    yield encoder("electra", "ElectraForSequenceClassification", "ElectraConfig", **base,
                  embedding_size=32, num_labels=3)
    yield encoder("albert", "AlbertForSequenceClassification", "AlbertConfig", **base,
                  embedding_size=16, num_labels=3)
    yield encoder("distilbert", "DistilBertForSequenceClassification", "DistilBertConfig",
                  vocab_size=100, dim=32, hidden_dim=64, n_layers=2, n_heads=4, num_labels=3)
    small = {name: base[name] for name in base if name != "vocab_size"}
    yield vision("vit", "ViTForImageClassification", "ViTConfig", **small, image_size=32,
                 patch_size=8, num_labels=5)
    yield vision("segformer", "SegformerForSemanticSegmentation", "SegformerConfig", pixels=64,
                 hidden_sizes=[16, 32, 32, 64], depths=[1, 1, 1, 1],
                 num_attention_heads=[1, 2, 2, 4], decoder_hidden_size=32, num_labels=4)


# Networks of one's own

class Recurrent(nn.Module):
    def __init__(self, kind, layers=1, both_ways=False):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.recurrent = getattr(nn, kind)(16, 24, num_layers=layers, batch_first=True,
                                           bidirectional=both_ways)
        self.head = nn.Linear(48 if both_ways else 24, 5)

    def forward(self, ids):
        return self.head(self.recurrent(self.embedding(ids))[0][:, -1])


class UnrolledCell(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.cell = getattr(nn, kind)(16, 24)
        self.head = nn.Linear(24, 5)

    def forward(self, ids):
        x, state = self.embedding(ids), None
        for t in range(x.shape[1]):
            state = self.cell(x[:, t], state)
        return self.head(state[0] if isinstance(state, tuple) else state)


class UNet(nn.Module):
    """Two levels, with transposed convolutions or with upsampling; of `dimensions` 2 or 3."""

    def __init__(self, dimensions=2, has_transposed=True):
        super().__init__()
        kind = {name: getattr(nn, f"{name}{dimensions}d")
                for name in ("Conv", "BatchNorm", "ConvTranspose", "MaxPool")}

        def double(before, after):
            layers = []
            for channels in (before, after):
                layers += [kind["Conv"](channels, after, 3, padding=1, bias=False),
                           kind["BatchNorm"](after), nn.ReLU(inplace=True)]
            return nn.Sequential(*layers)
        self.down1, self.down2, self.bottom = double(1, 4), double(4, 8), double(8, 16)
        self.pool = kind["MaxPool"](2)
        if has_transposed:
            self.up2, self.up1 = (kind["ConvTranspose"](n, n // 2, 2, 2) for n in (16, 8))
        else:
            self.up2, self.up1 = (nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"),
                                                kind["Conv"](n, n // 2, 1)) for n in (16, 8))
        self.join2, self.join1 = double(16, 8), double(8, 4)
        self.out = kind["Conv"](4, 3, 1)

    def forward(self, x):
        one = self.down1(x)
        two = self.down2(self.pool(one))
        y = self.join2(torch.cat([two, self.up2(self.bottom(self.pool(two)))], 1))
        return self.out(self.join1(torch.cat([one, self.up1(y)], 1)))


class ConvNet(nn.Module):
    def __init__(self, channels=8, norm=True):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, stride=2, groups=2)
        self.fc = nn.Linear(2 * channels, CLASSES)

    def forward(self, x):
        x = F.relu(self.norm1(self.conv1(x)))
        return self.fc(F.relu(self.conv2(x)).mean((2, 3)))


class SharedConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.stem(x)
        for _ in range(3):
            x = F.relu(self.conv(x))
        return self.fc(x.mean((2, 3)))


class TiedLanguage(nn.Module):
    """Embedding and head share their weight; causal attention by hand."""

    def __init__(self, words=50, width=16, heads=2, length=10):
        super().__init__()
        self.embedding, self.position = nn.Embedding(words, width), nn.Embedding(length, width)
        self.norm, self.qkv = nn.LayerNorm(width), nn.Linear(width, 3 * width)
        self.project, self.heads = nn.Linear(width, width), heads
        self.register_buffer("causal", torch.ones(length, length).tril().bool())
        self.head = nn.Linear(width, words, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, ids):
        x = self.embedding(ids) + self.position(torch.arange(ids.shape[1]))
        n, t, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5
        scores = scores.masked_fill(~self.causal[:t, :t], float("-inf"))
        y = (scores.softmax(-1) @ v).transpose(1, 2).contiguous().view(n, t, width)
        return self.head(x + self.project(y))


class WeightOnly(nn.Module):
    """Weights as int8 times a scale for each row, as weight-only quantisation stores them."""

    def __init__(self, sizes=(48, 32, CLASSES)):
        super().__init__()
        self.layers = len(sizes) - 1
        for i, (before, after) in enumerate(zip(sizes, sizes[1:])):
            weight = torch.randn(after, before)
            scale = weight.abs().amax(1, keepdim=True) / 127
            self.register_buffer(f"weight{i}", (weight / scale).round().to(torch.int8))
            self.register_buffer(f"scale{i}", scale)
            self.register_parameter(f"bias{i}", nn.Parameter(torch.randn(after) * 0.1))

    def forward(self, x):
        for i in range(self.layers):
            weight = getattr(self, f"weight{i}").to(x.dtype) * getattr(self, f"scale{i}")
            x = F.linear(x, weight, getattr(self, f"bias{i}"))
            x = F.relu(x) if i + 1 < self.layers else x
        return x


def features(width=48, rows=2):
    return lambda generator: (torch.randn(rows, width, generator=generator),)


def series(channels=2, length=40, rows=2):
    return lambda generator: (torch.randn(rows, channels, length, generator=generator),)


def volumes(pixels=8, rows=2):
    return lambda generator: (torch.randn(rows, 1, pixels, pixels, pixels, generator=generator),)


def own_networks():
    def own(name, make, inputs):
        return Network(name, "own", make, inputs)
    ids = tokens(words=50)
    yield own("lstm", lambda: Recurrent("LSTM"), ids)
    yield own("lstm_both_ways", lambda: Recurrent("LSTM", 2, True), ids)
    yield own("gru", lambda: Recurrent("GRU"), ids)
    yield own("gru_both_ways", lambda: Recurrent("GRU", 2, True), ids)
    yield own("rnn", lambda: Recurrent("RNN"), ids)
    yield own("lstm_cell", lambda: UnrolledCell("LSTMCell"), ids)
    yield own("gru_cell", lambda: UnrolledCell("GRUCell"), ids)
    yield own("unet", UNet, images(32, 1))
    yield own("unet_upsampled", lambda: UNet(has_transposed=False), images(32, 1))
    yield own("unet_3d", lambda: UNet(3), volumes())
    yield own("conv_net", ConvNet, images(16))
    yield own("shared_conv", SharedConv, images(16))
    yield own("tied_language", TiedLanguage, ids)
    yield own("weight_only", WeightOnly, features())
    yield own("mlp", lambda: nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, CLASSES)),
              features())
    yield own("conv_1d", lambda: nn.Sequential(
        nn.Conv1d(2, 8, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 3)),
        series())


FAMILIES = {"own": (own_networks, None), "transformers": (transformers_networks, "transformers"),
            "timm": (timm_networks, "timm"), "torchvision": (torchvision_networks, "torchvision")}


def all_networks(families=None):
    """All networks of the families, of those libraries that are installed."""
    for family in families or FAMILIES:
        networks, library = FAMILIES[family]
        if library and importlib.util.find_spec(library) is None:
            print(f"{family}: not installed, left out")
            continue
        yield from networks()


# What is done with them

@torch.inference_mode()
def settle(module, inputs):
    """Gives batch norms the statistics of these inputs, and last layers of zeros some weights."""
    norms = [one for one in module.modules()
             if isinstance(one, torch.nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = None
    for one in module.modules():
        if isinstance(one, torch.nn.Linear) and not one.weight.any():
            torch.nn.init.normal_(one.weight, std=0.02)
    if norms:
        module(*inputs)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
        norm.eval()


def answer_of(program, inputs, output):
    """The chosen output as float32, as the exported program gives it."""
    module = program.module()
    module.requires_grad_(False)
    with torch.inference_mode():
        answer = module(*inputs)
    for key in output.split(".") if output else ():
        answer = answer[key] if isinstance(answer, collections.abc.Mapping) else answer[int(key)]
    return answer.float().contiguous().numpy()


def export(network, folder):
    """Writes model.pt2, input files and what.json into the folder, unless they are there."""
    what = folder / "what.json"
    if what.is_file():
        return json.loads(what.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    module = network.make().eval().requires_grad_(False)
    inputs = network.inputs(torch.Generator().manual_seed(2))
    settle(module, inputs)
    batch = {0: torch.export.Dim("batch", min=1)}
    program, how = None, "any batch"
    try:
        program = torch.export.export(module, inputs, dynamic_shapes=tuple(batch for _ in inputs))
    except Exception:  # of many kinds: the model fixes its batch
        program, how = torch.export.export(module, inputs), "fixed batch"
    for index, rows in enumerate(inputs):
        rows = rows.float() if rows.is_floating_point() else rows
        numpy.save(folder / f"x{index}.npy", rows.numpy())
    numpy.save(folder / "y.npy", answer_of(program, inputs, network.output))
    torch.export.save(program, folder / "model.pt2")
    found = {"parameters": sum(one.numel() for one in module.parameters()), "exported": how,
             "inputs": len(inputs)}
    what.write_text(json.dumps(found))
    return found
