"""Tells decoded from rendered images patch by patch, so that the decoder draws sharp edges where absolute differences alone prefer blurred ones."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from training import DEVICE, autocast


class Discriminator:
    """Patches of 22 pixels, the hinge loss, and spectral norms against too steep slopes (PatchGAN, Isola et al. 2017; Miyato et al. 2018)."""

    def __init__(self, rate=5e-4):
        conv = lambda inputs, outputs, size, stride: spectral_norm(nn.Conv2d(inputs, outputs, size, stride, size // 2))
        self.network = nn.Sequential(
            conv(3, 48, 4, 2), nn.LeakyReLU(0.2), conv(48, 96, 4, 2), nn.LeakyReLU(0.2), conv(96, 192, 3, 1), nn.LeakyReLU(0.2), conv(192, 1, 1, 1)).to(DEVICE)
        self.adam = torch.optim.Adam(self.network.parameters(), rate, (0.5, 0.9))

    def learn(self, drawn, true):
        """One step of its own training."""
        with autocast():
            decoded, rendered = self.network(drawn.detach()), self.network(true)
        loss = F.relu(1 + decoded.float()).mean() + F.relu(1 - rendered.float()).mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return loss.item()

    def against(self, drawn, near, last, share):
        """The term that is added to the decoder's loss `near`. Its gradient of the decoder's `last` weights is `share` times that of `near` (Esser et al. 2021)."""
        with autocast():
            term = -self.network(drawn).float().mean()
        slope, other = (torch.autograd.grad(loss, last, retain_graph=True)[0].norm() for loss in (near, term))
        return term * (share * slope / (other + 1e-6)).detach()
