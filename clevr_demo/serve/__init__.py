"""What serves the page and the endpoint and needs no Gradio: studio, gate, queue, draws, payloads and wording."""
