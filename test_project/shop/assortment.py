"""What the shop sells: 8 specialities and 12 twists of 16 classics."""

from itertools import product

SPECIALITIES = [
    "Crème brûlée",
    "Schokolade-Nuß",
    "抹茶",
    "Açaí",
    "Piña colada",
    "Пломбир",
    "Fior di latte",
    "Dulce de leche",
]
TWISTS = [
    *("Alpine", "Double", "Frosted", "Honeyed", "Midnight", "Old-Fashioned"),
    *("Roasted", "Salted", "Smoky", "Spiced", "Velvet", "Wild"),
]
CLASSICS = [
    *("Banana", "Blackcurrant", "Caramel", "Cherry", "Chocolate", "Coconut"),
    *("Coffee", "Fig", "Hazelnut", "Lemon", "Mango", "Pistachio"),
    *("Raspberry", "Strawberry", "Vanilla", "Yoghurt"),
]
FLAVOURS = SPECIALITIES + [" ".join(pair) for pair in product(TWISTS, CLASSICS)]

SIZES = {"Kids": "0.70", "One scoop": "1.00", "Two scoops": "1.80", "Tub": "4.50"}
TOPPINGS = [
    *("Almonds", "Brittle", "Chocolate sauce", "Cream"),
    *("Fresh berries", "Maple syrup", "Rainbow sprinkles", "Wafer"),
]
