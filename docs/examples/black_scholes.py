"""Compute the Greeks of an option, to third order.

C = S Φ(d₁) − K e^(−rT) Φ(d₂), d₁ = (log(S/K) + (r + σ²/2) T) / σ√T, d₂ = d₁ − σ√T. Each Greek is a derivative of the
price: delta ∂C/∂S, vega ∂C/∂σ, gamma ∂²C/∂S², vanna ∂²C/∂S∂σ, speed ∂³C/∂S³, zomma ∂³C/∂S²∂σ, ultima ∂³C/∂σ³. Black
and Scholes, *The Pricing of Options and Corporate Liabilities* (1973), equation 13.
"""

import numpy as np

import autograd as ag
from autograd.scipy.stats import norm


def price(S, K, T, r, sigma):
    d1 = (np.log(S / K) + (r + sigma**2 / 2) * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    return S * norm.cdf(d1) - K * np.exp(-r * T) * norm.cdf(d2)


delta = ag.grad(price, 0)
vega = ag.grad(price, 4)
gamma = ag.grad(delta, 0)
vanna = ag.grad(delta, 4)
speed = ag.grad(gamma, 0)
zomma = ag.grad(gamma, 4)
ultima = ag.grad(ag.grad(vega, 4), 4)


def main(axes=None):
    option = (100.0, 110.0, 0.5, 0.03, 0.25)
    print(f"price = {price(*option):.6f}, delta = {delta(*option):.6f}, vega = {vega(*option):.6f}")
    print(f"gamma = {gamma(*option):.8f}, vanna = {vanna(*option):.8f}")
    print(f"speed = {speed(*option):.10f}, zomma = {zomma(*option):.10f}, ultima = {ultima(*option):.6f}")
    if axes is not None:
        stocks = np.linspace(60, 170, 56)
        for greek in (delta, gamma, speed):
            curve = np.stack([greek(stock, *option[1:]) for stock in stocks])
            axes.plot(stocks, curve / abs(curve).max(), label=greek.__name__)
        axes.set_xlabel("stock price")
        axes.legend(["delta", "gamma", "speed"])


if __name__ == "__main__":
    main()
