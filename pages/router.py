"""The page frame: configuration, stylesheet and the menu. A page that does not exist is not in the menu."""

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent.parent / "assets"

st.set_page_config(
    page_title="GAN playground", page_icon=str(ASSETS / "icon.svg"), layout="wide", initial_sidebar_state=312
)
st.html(ASSETS / "style.css")
st.navigation(
    {
        "Labs": [
            st.Page("gan_lab.py", title="GAN lab", icon=":material/scatter_plot:", default=True),
            st.Page("image_gan_lab.py", title="Image GAN lab", icon=":material/grid_view:"),
            st.Page("autoencoder_lab.py", title="Autoencoder lab", icon=":material/compress:"),
            st.Page("race.py", title="Race", icon=":material/sports_score:"),
        ],
        "Explore": [
            st.Page("latent.py", title="Latent space", icon=":material/bubble_chart:"),
            st.Page("reconstructions.py", title="Reconstructions", icon=":material/compare:"),
            st.Page("interpolation.py", title="Interpolation", icon=":material/route:"),
            st.Page("mode_collapse.py", title="Mode collapse", icon=":material/pie_chart:"),
            st.Page("model_card.py", title="Model card", icon=":material/id_card:"),
            st.Page("sweep.py", title="Sweep", icon=":material/grid_on:"),
            st.Page("compare.py", title="Compare", icon=":material/stacked_line_chart:"),
        ],
        "": [st.Page("runs.py", title="Runs", icon=":material/history:")],
    },
    position="top",
).run()
