"""The scoreboard: figures out of the records, as HTML, and the pictures behind them."""
