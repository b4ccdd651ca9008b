"""See generative models learn: small GANs and autoencoders, trained live, measured honestly."""
