# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains the zoo and exports it as .pt2; zoo/README.md says what each network takes and returns.

    python python/train_zoo.py [--only NAME ...] [--epochs N] [--out zoo]
"""

import argparse
import dataclasses
import pathlib
import time

import numpy
import torch
from torch import nn

import composites
import fashion_mnist
import verses


class LeNet5(nn.Module):
    """LeNet-5 with ReLU and max pooling; 61 706 parameters."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(120, 84)
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.flatten(x)
        x = self.relu3(self.fc1(x))
        x = self.relu4(self.fc2(x))
        return self.fc3(x)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: identity, or 1x1 where the shape changes."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                          nn.BatchNorm2d(outputs))

    def forward(self, x):
        identity = x if self.shortcut is None else self.shortcut(x)
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu2(out)


class ResNet8(nn.Module):
    """A 3x3 stem and three stages of one basic block: 16, 32, 64 channels; 77 754 parameters."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.stage1 = BasicBlock(16, 16, stride=1)
        self.stage2 = BasicBlock(16, 32, stride=2)
        self.stage3 = BasicBlock(32, 64, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.relu(self.bn(self.conv(x)))
        x = self.stage3(self.stage2(self.stage1(x)))
        x = self.flatten(self.pool(x))
        return self.fc(x)


class InvertedResidual(nn.Module):
    """1x1 expansion, 3x3 depthwise, 1x1 projection; a shortcut where the shape stays."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        inner = inputs * expansion
        self.expand = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.act1 = nn.ReLU6()
        self.depthwise = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.act2 = nn.ReLU6()
        self.project = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        out = self.act1(self.bn1(self.expand(x)))
        out = self.act2(self.bn2(self.depthwise(out)))
        out = self.bn3(self.project(out))
        return x + out if self.has_shortcut else out


class MobileNet(nn.Module):
    """A small MobileNetV2: a stem and seven inverted residuals; 79 322 parameters."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.act = nn.ReLU6()
        self.block1 = InvertedResidual(16, 16, 2, 3)
        self.block2 = InvertedResidual(16, 16, 1, 3)
        self.block3 = InvertedResidual(16, 32, 2, 4)
        self.block4 = InvertedResidual(32, 32, 1, 4)
        self.block5 = InvertedResidual(32, 32, 1, 4)
        self.block6 = InvertedResidual(32, 64, 1, 4)
        self.block7 = InvertedResidual(64, 64, 1, 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.act(self.bn(self.conv(x)))
        x = self.block3(self.block2(self.block1(x)))
        x = self.block7(self.block6(self.block5(self.block4(x))))
        return self.fc(self.flatten(self.pool(x)))


class Attention(nn.Module):
    """Multi-head self-attention; the heads share three projections."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        count, tokens, width = x.shape
        shape = (count, tokens, self.heads, width // self.heads)
        query = self.query(x).view(shape).transpose(1, 2)
        key = self.key(x).view(shape).transpose(1, 2)
        value = self.value(x).view(shape).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(mixed.transpose(1, 2).reshape(count, tokens, width))


class EncoderBlock(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and beside a shortcut."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fc2(self.gelu(self.fc1(self.norm2(x))))


class VisionTransformer(nn.Module):
    """Patches of 4 x 4, a class token, four encoder blocks of width 64; 139 018 parameters."""

    def __init__(self):
        super().__init__()
        width = 64
        self.patches = nn.Conv2d(1, width, 4, stride=4)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, 50, width))
        self.block1 = EncoderBlock(width, 4, 2 * width)
        self.block2 = EncoderBlock(width, 4, 2 * width)
        self.block3 = EncoderBlock(width, 4, 2 * width)
        self.block4 = EncoderBlock(width, 4, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.position
        x = self.block4(self.block3(self.block2(self.block1(x))))
        return self.head(self.norm(x)[:, 0])


class Vgg11(nn.Module):
    """VGG-11 for 28 x 28: eight 3x3 convolutions with batch norm; 9 229 962 parameters."""

    def __init__(self):
        super().__init__()
        layers = []
        inputs = 1
        for outputs, has_pool in ((64, True), (128, True), (256, False), (256, True),
                                  (512, False), (512, True), (512, False), (512, False)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs),
                       nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if has_pool else []
            inputs = outputs
        self.features = nn.Sequential(*layers)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(512, 10)

    def forward(self, x):
        return self.classifier(self.flatten(self.features(x)))


class ConvolutionBlock(nn.Sequential):
    """A 3x3 convolution with batch norm and ReLU."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())


class Segmenter(nn.Module):
    """A small U-Net at half the resolution; each of its pixels labels two by two; 60 840
    parameters."""

    CLASSES = len(composites.CLASSES)

    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.stem = ConvolutionBlock(1, 16, stride=2)
        self.down1 = ConvolutionBlock(16, 16)
        self.down2 = ConvolutionBlock(16, 32)
        self.down3 = ConvolutionBlock(32, 32)
        self.bottom = ConvolutionBlock(32, 48)
        self.up2 = ConvolutionBlock(48 + 32, 32)
        self.up1 = ConvolutionBlock(32 + 16, 16)
        self.head = nn.Conv2d(16, 4 * self.CLASSES, 1)

    def forward(self, x):
        fine = self.down1(self.stem(x))
        coarse = self.down3(self.down2(self.pool(fine)))
        x = self.bottom(self.pool(coarse))
        x = self.up2(torch.cat([self.up(x), coarse], 1))
        x = self.head(self.up1(torch.cat([self.up(x), fine], 1)))
        x = x.reshape(-1, self.CLASSES, 2, 2, x.shape[2], x.shape[3]).permute(0, 1, 4, 2, 5, 3)
        return x.reshape(-1, self.CLASSES, composites.SIDE, composites.SIDE)


class CausalAttention(Attention):
    """Attention to a token and those before it."""

    def __init__(self, width, heads, length):
        super().__init__(width, heads)
        self.register_buffer("mask", torch.full((length, length), float("-inf")).triu(1))

    def forward(self, x):
        count, tokens, width = x.shape
        shape = (count, tokens, self.heads, width // self.heads)
        query = self.query(x).view(shape).transpose(1, 2)
        key = self.key(x).view(shape).transpose(1, 2)
        value = self.value(x).view(shape).transpose(1, 2)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, self.mask)
        return self.out(mixed.transpose(1, 2).reshape(count, tokens, width))


class DecoderBlock(EncoderBlock):
    """As EncoderBlock, with causal attention."""

    def __init__(self, width, heads, hidden, length):
        super().__init__(width, heads, hidden)
        self.attention = CausalAttention(width, heads, length)


class TinyLm(nn.Module):
    """Two decoder blocks of width 64 over 64 characters; the head is the embedding's table; 108 288
    parameters."""

    LENGTH = 64

    def __init__(self):
        super().__init__()
        width = 64
        self.embedding = nn.Embedding(len(verses.ALPHABET), width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.position = nn.Parameter(0.02 * torch.randn(1, self.LENGTH, width))
        self.block1 = DecoderBlock(width, 4, 4 * width, self.LENGTH)
        self.block2 = DecoderBlock(width, 4, 4 * width, self.LENGTH)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position
        x = self.norm(self.block2(self.block1(x)))
        return nn.functional.linear(x, self.embedding.weight)


def augment(images, generator):
    """Shifts each image of (N, 1, H, W) by -2..2 pixels both ways (zeros enter), mirrors half."""
    count, _, height, width = images.shape
    padded = nn.functional.pad(images, (2, 2, 2, 2))
    shift = torch.randint(0, 5, (2, count, 1), generator=generator)
    rows = torch.arange(height) + shift[0]
    columns = torch.arange(width) + shift[1]
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    which = torch.arange(count)[:, None, None]
    return padded[which, 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


class Classes:
    """Fashion-MNIST: images (N, 1, 28, 28) and the class of each."""

    EXAMPLE = torch.zeros(2, 1, 28, 28)
    BATCH = 128

    def __init__(self, options):
        self.images, self.labels = map(torch.from_numpy, fashion_mnist.load("train", options.data))
        self.test = [torch.from_numpy(part) for part in fashion_mnist.load("test", options.data)]
        self.generator = torch.Generator().manual_seed(options.seed)

    def steps(self):
        return len(self.images) // self.BATCH

    def epoch(self, _):
        order = torch.randperm(len(self.images), generator=self.generator)
        for step in range(self.steps()):
            chosen = order[step * self.BATCH:(step + 1) * self.BATCH]
            yield augment(self.images[chosen], self.generator), self.labels[chosen]

    def quality(self, answers):
        right = (answers.argmax(1) == self.test[1]).double().mean()
        return f"accuracy {100 * right:.2f} % of {len(answers)} test images"

    def pieces(self):
        return {}


class Scenes:
    """composites.py: scenes (N, 1, 56, 56) and the class of each pixel; new ones each epoch."""

    EXAMPLE = torch.zeros(2, 1, composites.SIDE, composites.SIDE)
    BATCH = 16

    def __init__(self, options):
        self.seed = options.seed
        self.garments = {
            part: [fashion_mnist.read_idx(options.data / f"{part}-{kind}-ubyte.gz")
                   for kind in ("images-idx3", "labels-idx1")] for part in ("train", "t10k")}
        self.test = self.tensors(self.made("t10k", 1000, 0))

    def made(self, part, count, epoch):
        return composites.make(*self.garments[part], count, [self.seed, epoch])

    @staticmethod
    def tensors(made):
        scenes, classes = map(torch.from_numpy, made)
        return scenes.float() / 255, classes.long()

    def steps(self):
        return 100

    def epoch(self, number):
        scenes, classes = self.tensors(self.made("train", self.steps() * self.BATCH, number + 1))
        yield from zip(scenes.split(self.BATCH), classes.split(self.BATCH))

    def quality(self, answers):
        answered, classes = answers.argmax(1), self.test[1]
        right = (answered == classes).double().mean()
        overlaps = [((answered == one) & (classes == one)).sum() /
                    ((answered == one) | (classes == one)).sum()
                    for one in range(len(composites.CLASSES))]
        return (f"{100 * right:.2f} % of the pixels of {len(classes)} test scenes, mIoU "
                f"{sum(overlaps) / len(overlaps):.4f} (" +
                ", ".join(f"{name} {overlap:.3f}"
                          for name, overlap in zip(composites.CLASSES, overlaps)) + ")")

    def pieces(self):
        scenes, classes = self.made("t10k", 64, 0)
        return {"images": scenes, "labels": classes, "calibrate": self.made("train", 64, 0)[0]}


class Verses:
    """verses.py: numbers of characters (N, 64) and the one that comes after each. The Old Testament
    trains, the New one tests."""

    EXAMPLE = torch.zeros(2, TinyLm.LENGTH, dtype=torch.int64)
    BATCH = 32

    def __init__(self, options):
        self.tokens = verses.numbers("ot", options.text)
        self.test_tokens = verses.numbers("nt", options.text)
        self.test = [torch.from_numpy(part)
                     for part in verses.windows(self.test_tokens, 2000, TinyLm.LENGTH)]
        self.generator = torch.Generator().manual_seed(options.seed)

    def steps(self):
        return 200

    def epoch(self, _):
        tokens, places = torch.from_numpy(self.tokens), torch.arange(TinyLm.LENGTH)
        for _ in range(self.steps()):
            starts = torch.randint(len(tokens) - TinyLm.LENGTH, (self.BATCH, 1),
                                   generator=self.generator)
            yield tokens[starts + places], tokens[starts + places + 1]

    def quality(self, answers):
        nats = nn.functional.cross_entropy(answers.transpose(1, 2), self.test[1])
        right = (answers.argmax(2) == self.test[1]).double().mean()
        return (f"perplexity {nats.exp():.3f} per character ({nats.exp().log2():.3f} bits), "
                f"{100 * right:.2f} % right of {self.test[1].numel()} test characters")

    def pieces(self):
        tokens, following = verses.windows(self.test_tokens, 128, TinyLm.LENGTH)
        calibrate, _ = verses.windows(self.tokens, 128, TinyLm.LENGTH)
        return {name: array.astype(numpy.int16) for name, array in
                (("images", tokens), ("labels", following), ("calibrate", calibrate))}


@dataclasses.dataclass
class Recipe:
    network: type
    epochs: int
    peak_rate: float
    decay: float
    data: type = Classes
    by_adamw: bool = False      # else by SGD
    is_on_request: bool = False  # trained only where --only names it


ZOO = {
    "lenet5": Recipe(LeNet5, 20, 0.05, 1e-4),
    "resnet8": Recipe(ResNet8, 12, 0.2, 5e-4),
    "mobilenet": Recipe(MobileNet, 12, 0.2, 2e-4),
    "vit": Recipe(VisionTransformer, 16, 2e-3, 0.05, by_adamw=True),
    "segmenter": Recipe(Segmenter, 8, 5e-3, 0.01, Scenes, by_adamw=True),
    "tiny_lm": Recipe(TinyLm, 8, 3e-3, 0.05, Verses, by_adamw=True),
    "vgg11": Recipe(Vgg11, 2, 0.05, 5e-4, is_on_request=True),
}


def train(model, data, recipe, epochs):
    """Trains in place under a one-cycle rate; prints loss and seconds per epoch."""
    if recipe.by_adamw:
        optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.peak_rate,
                                      weight_decay=recipe.decay)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=recipe.peak_rate, momentum=0.9,
                                    nesterov=True, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.peak_rate,
                                                   epochs * data.steps())
    model.train()
    for epoch in range(epochs):
        start = time.monotonic()
        total = 0.0
        for inputs, labels in data.epoch(epoch):
            answers = model(inputs)
            if recipe.data is Verses:
                answers = answers.transpose(1, 2)  # classes come second
            loss = nn.functional.cross_entropy(answers, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / data.steps():.4f}, "
              f"{time.monotonic() - start:.1f} s", flush=True)


def without_folders(trace):
    """Keeps of a stack trace the frames in this file, and of this file's path only the name."""
    frames = (frame.rstrip().split('"', 1) for frame in trace.split('File "')[1:])
    name = pathlib.Path(__file__).name
    return "\n  ".join(f'File "{name}"{rest}' for path, rest in frames
                       if pathlib.PurePath(path).name == name)


def export(model, example, path):
    """Writes the model in evaluation mode as .pt2 with a dynamic batch."""
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(model.eval(), (example,), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        if "stack_trace" in node.meta:
            node.meta["stack_trace"] = without_folders(node.meta["stack_trace"])
    torch.export.save(program, path)


def main():
    on_request = [name for name, recipe in ZOO.items() if recipe.is_on_request]
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", nargs="+", choices=ZOO, metavar="NAME",
                        default=[name for name in ZOO if name not in on_request],
                        help="which networks: " + ", ".join(ZOO) + " (default: all but " +
                             ", ".join(on_request) + ")")
    parser.add_argument("--epochs", type=int, help="instead of each network's own number")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("zoo"),
                        help="folder of the .pt2 files (default: zoo)")
    parser.add_argument("--data", type=pathlib.Path, default=fashion_mnist.FOLDER,
                        help="folder of the Fashion-MNIST IDX files")
    parser.add_argument("--text", type=pathlib.Path, default=verses.FOLDER,
                        help="folder of the text's blocks, of the package sword-text-web")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.only:
        recipe = ZOO[name]
        data = recipe.data(options)
        torch.manual_seed(options.seed)
        model = recipe.network()
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters", flush=True)
        train(model, data, recipe, options.epochs or recipe.epochs)
        path = options.out / f"{name}.pt2"
        export(model, recipe.data.EXAMPLE, path)
        for piece, array in data.pieces().items():
            numpy.save(options.out / f"{name}_{piece}.npy", array)
        with torch.no_grad():
            answers = torch.cat([model(inputs) for inputs in data.test[0].split(500)])
        print(f"{name}: {data.quality(answers)}; {path}, {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
