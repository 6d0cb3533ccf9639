from setuptools import setup

setup()  # setup.cfg says it all
