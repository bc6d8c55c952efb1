"""``python -m denxanh``: the same as the command ``denxanh``, where its folder is not on the PATH."""

from denxanh.experiments.cli.app import main

if __name__ == "__main__":
    main()
