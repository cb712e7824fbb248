# SPDX-FileCopyrightText: TileStrike contributors
# SPDX-License-Identifier: Apache-2.0
"""Trains the zoo on Fashion-MNIST and exports it as .pt2.

    python python/train_zoo.py [--only NAME ...] [--epochs N] [--out zoo]

Every network takes float32 (N, 1, 28, 28) in [0, 1] (byte / 255, no normalisation) and returns
logits, float32 (N, 10). Training sees the 60 000 training images only; the accuracy printed is
over all 10 000 test images, after the last epoch.
"""

import argparse
import pathlib
import time

import torch
from torch import nn

import fashion_mnist


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


# name: (class, epochs, peak learning rate, weight decay)
ZOO = {
    "lenet5": (LeNet5, 20, 0.05, 1e-4),
    "resnet8": (ResNet8, 12, 0.2, 5e-4),
    "mobilenet": (MobileNet, 12, 0.2, 2e-4),
    "vit": (VisionTransformer, 16, 2e-3, 0.05),
    "vgg11": (Vgg11, 2, 0.05, 5e-4),
}
ON_REQUEST = ("vgg11",)  # trained only where --only names them
BY_ADAMW = ("vit",)      # the others by SGD


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


def train(model, images, labels, epochs, peak_rate, decay, seed, by_adamw=False, batch=128):
    """Trains in place under a one-cycle rate; prints loss and seconds per epoch."""
    generator = torch.Generator().manual_seed(seed)
    if by_adamw:
        optimizer = torch.optim.AdamW(model.parameters(), lr=peak_rate, weight_decay=decay)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=peak_rate, momentum=0.9, nesterov=True,
                                    weight_decay=decay)
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, epochs * steps)
    model.train()
    for epoch in range(epochs):
        start = time.monotonic()
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for step in range(steps):
            chosen = order[step * batch:(step + 1) * batch]
            logits = model(augment(images[chosen], generator))
            loss = nn.functional.cross_entropy(logits, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, "
              f"{time.monotonic() - start:.1f} s", flush=True)


@torch.no_grad()
def accuracy(model, images, labels):
    """The share of images, in percent, whose largest logit is the label's."""
    model.eval()
    correct = sum(int((model(x).argmax(1) == y).sum())
                  for x, y in zip(images.split(500), labels.split(500)))
    return 100 * correct / len(images)


def without_folders(trace):
    """Keeps of a stack trace the frames in this file, and of this file's path only the name."""
    frames = (frame.rstrip().split('"', 1) for frame in trace.split('File "')[1:])
    name = pathlib.Path(__file__).name
    return "\n  ".join(f'File "{name}"{rest}' for path, rest in frames
                       if pathlib.PurePath(path).name == name)


def export(model, path):
    """Writes the model in evaluation mode as .pt2 with a dynamic batch."""
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(model.eval(), (torch.zeros(2, 1, 28, 28),),
                                  dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:
        if "stack_trace" in node.meta:
            node.meta["stack_trace"] = without_folders(node.meta["stack_trace"])
    torch.export.save(program, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--only", nargs="+", choices=ZOO, metavar="NAME",
                        default=[name for name in ZOO if name not in ON_REQUEST],
                        help="which networks: " + ", ".join(ZOO) + " (default: all but " +
                             ", ".join(ON_REQUEST) + ")")
    parser.add_argument("--epochs", type=int, help="instead of each network's own number")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("zoo"),
                        help="folder of the .pt2 files (default: zoo)")
    parser.add_argument("--data", type=pathlib.Path, default=fashion_mnist.FOLDER,
                        help="folder of the Fashion-MNIST IDX files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    images, labels = map(torch.from_numpy, fashion_mnist.load("train", options.data))
    test_images, test_labels = map(torch.from_numpy, fashion_mnist.load("test", options.data))
    for name in options.only:
        network, epochs, peak_rate, decay = ZOO[name]
        torch.manual_seed(options.seed)
        model = network()
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters", flush=True)
        train(model, images, labels, options.epochs or epochs, peak_rate, decay, options.seed,
              name in BY_ADAMW)
        path = options.out / f"{name}.pt2"
        export(model, path)
        print(f"{name}: accuracy {accuracy(model, test_images, test_labels):.2f} % of "
              f"{len(test_images)} test images; {path}, {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
