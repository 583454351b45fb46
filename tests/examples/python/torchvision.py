"""Stands in for torchvision where only PyTorch is installed: the four names that the guide uses, for MNIST files on the disk."""
import torch
from torch.utils.data import Dataset


class transforms:
    class Compose:
        def __init__(self, steps):
            self.steps = steps

        def __call__(self, value):
            for step in self.steps:
                value = step(value)
            return value

    class ToTensor:
        def __call__(self, image):
            return image.unsqueeze(0).float().div(255)

    class Normalize:
        def __init__(self, mean, std):
            self.mean, self.std = (torch.tensor(values).view(-1, 1, 1) for values in (mean, std))

        def __call__(self, image):
            return (image - self.mean) / self.std


class datasets:
    class MNIST(Dataset):
        def __init__(self, root, train=True, download=False, transform=None):
            def read(kind, header):
                with open(f"{root}/MNIST/raw/{'train' if train else 't10k'}-{kind}-ubyte", "rb") as file:
                    return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)

            self.images, self.labels = read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8)
            self.transform = transform

        def __len__(self):
            return len(self.labels)

        def __getitem__(self, index):
            return self.transform(self.images[index]), int(self.labels[index])
