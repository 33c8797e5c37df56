"""What every part of the package uses: errors, arrays, shapes, results, statistics, storage; it imports nothing
above.
"""
