"""What do patient, naaste and professional know together, in numbers and in stories?

Public names load when first used, so that ``import expertise`` stays light.
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOM = {
    "Codebook": "coding.codebook",
    "CodingSession": "coding.session",
    "CodingWidget": "cocoding.widget",
    "ExpertiseError": "errors",
    "Levels": "study",
    "MixedFit": "mixed.fit",
    "MixedSums": "mixed.sums",
    "ReadingPlan": "coding.planning",
    "Study": "study",
    "StudyCheck": "study",
    "StudyPlan": "mixed.plan",
    "StudyReport": "reporting",
    "ac1": "agreement.kappas",
    "ac2": "agreement.kappas",
    "actor_partner": "triads.actors",
    "alpha": "agreement.alphas",
    "bland_altman": "triads.limits",
    "bootstrap": "mixed.resampling",
    "boundary_similarity": "agreement.boundaries",
    "brennan_prediger": "agreement.kappas",
    "build_report": "reporting",
    "check_study": "study",
    "choose_fragments": "coding.fragments",
    "co_occurrence": "themes.beside",
    "code_counts": "themes.counts",
    "collaboration_form": "instruments.collaboration",
    "compare_coders": "agreement.compare",
    "compare_fits": "mixed.compare",
    "compare_outcomes": "outcomes.choosing",
    "compare_units": "outcomes.comparing",
    "concordance": "narratives.search",
    "contrasts": "mixed.contrast",
    "control_chart": "outcomes.charts",
    "cut_fragments": "coding.fragments",
    "deidentify": "narratives.deidentification",
    "dependability": "triads.generalizability",
    "discrepancy": "triads.differences",
    "effect_sizes": "outcomes.effects",
    "fit_mixed": "mixed.fit",
    "fit_sums": "mixed.sums_fit",
    "fleiss_kappa": "agreement.kappas",
    "framework_matrix": "themes.framework",
    "goal_attainment": "outcomes.goals",
    "icc": "triads.intraclass",
    "import_texts": "narratives.importing",
    "important_change": "outcomes.importance",
    "impute_scores": "outcomes.imputation",
    "incremental_validity": "triads.validity",
    "interrupted_series": "outcomes.interrupted",
    "joint_display": "reporting.joint",
    "joint_tests": "mixed.joint",
    "kappa": "agreement.kappas",
    "keyness": "narratives.comparison",
    "ledger": "coding.folding",
    "list_instruments": "instruments",
    "load_instrument": "instruments",
    "loam": "triads.limits",
    "make_project": "exchange.project",
    "marginal_means": "mixed.contrast",
    "negative_agreement": "agreement.proportions",
    "new_study": "study",
    "open_circle": "cocoding.circle",
    "open_store": "coding.opening",
    "open_study": "study",
    "pattern_mixture": "outcomes.missing",
    "percent_agreement": "agreement.proportions",
    "perspectives_gain": "triads.together",
    "plan_reading": "coding.planning",
    "positive_agreement": "agreement.proportions",
    "power": "mixed.planning",
    "predictions": "mixed.predict",
    "profile_intervals": "mixed.profiles",
    "r_squared": "mixed.explained",
    "rank_outcomes": "outcomes.choosing",
    "read_codebook": "coding.codebook",
    "read_corpus": "narratives.corpus",
    "read_cycles": "cycles",
    "read_qdpx": "exchange.reading",
    "read_table": "files.tables",
    "readability": "narratives.legibility",
    "reduce_mixed": "mixed.chunks",
    "reliable_change": "outcomes.change",
    "response_surface": "triads.surface",
    "same_question": "triads.screen",
    "saturation": "themes.stopping",
    "score": "instruments",
    "scott_pi": "agreement.kappas",
    "set_alpha": "agreement.sets",
    "simulate": "mixed.simulation",
    "simulate_study": "study.simulate",
    "single_case": "outcomes.phases",
    "slopes": "mixed.contrast",
    "stepped_wedge": "outcomes.stepped",
    "study_report": "reporting",
    "suggest_codes": "suggestions.suggesting",
    "suppress_small": "privacy",
    "tipping_point": "outcomes.imputation",
    "triad_completeness": "triads.presence",
    "truth_and_bias": "triads.accuracy",
    "unitizing_alpha": "agreement.unitizing",
    "waiting_time": "outcomes.waiting",
    "weighted_alpha": "agreement.alphas",
    "who_is_missing": "outcomes.missing",
    "write_minutes": "cocoding.minutes",
    "write_papers": "cocoding.paper",
    "write_qdpx": "exchange.writing",
    "write_table": "files.write",
}

__all__ = ["__version__", *sorted(_ROOM)]


def __getattr__(name: str) -> object:
    """Load a public name from its room at first use."""
    if name not in _ROOM:
        raise AttributeError(f"module 'expertise' has no attribute {name!r}")
    value = getattr(import_module(f"expertise.{_ROOM[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Offer the public names to tab completion."""
    return list(__all__)
