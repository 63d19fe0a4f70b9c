"""Writes a ViT-B/16 classifier for 224x224 pixels with random weights: python vit_base.py DIRECTORY"""

import sys

import torch
import transformers

torch.manual_seed(0)
transformers.ViTForImageClassification(transformers.ViTConfig(num_labels=2)).save_pretrained(sys.argv[1])
transformers.ViTImageProcessorPil().save_pretrained(sys.argv[1])
