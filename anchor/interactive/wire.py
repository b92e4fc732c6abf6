"""What a page and a conversation say to each other over the data channel: JSON objects with a ``type``.

From the server, besides what every viewer hears (``hello``, ``caption``, ``word``, ``state``):

``session``   {session, language, languages, resumed, hearing: {available, why}}: first of all, to each page that comes
``mode``      {mode}: waiting (for the visitor to begin), listening, hearing, thinking, speaking, person
``visitor``   {turn, text, final, language}: what the visitor is understood to say, live; empty: it was nothing
``anchor``    {turn, text, utterance, language}: what the anchor is about to say, a sentence at a time; ``word`` events
              tell when
``hush``      {}: be silent at once; ``resume`` {}: go on; ``cancel`` {utterance}: what was being said is over
``sources``   {turn, sources: [{title, source}]}
``form``      {form: null | {action, title, slots: [{name, label, value}], asking, confirming, choices}}
``latency``   {turn, stages: {name: seconds}}
``notice``    {text}: something the visitor must know, such as that a person takes over
``log``       {entries: [{who, text, language}]}: what was said before, after the page comes back
``language``  {language, hearing}: what is spoken from now on, whoever wished it, and whether it is understood
``absence``   {seconds}: nobody seems to be there, and the conversation will be over in so long; null: somebody is
``ended``     {why}: the conversation is over: absence, visitor, operator, shutdown

From the page:

``begin``     {language}: the visitor has read the notices and begins
``text``      {text}: typed, or a button
``language``  {language}
``microphone`` {state}: on, off, denied, missing
``confirm``   {yes}
``human``     {}: a person is wanted
``sounded``   {utterance, seconds}: how long after the picture's own event the first sound of an utterance was played
``here``      {}: somebody touched the page
``end``       {}
"""

from __future__ import annotations

from typing import Literal

Mode = Literal["waiting", "listening", "hearing", "thinking", "speaking", "person"]
Ending = Literal["absence", "visitor", "operator", "shutdown", "lost"]

LONGEST_TEXT = 500
"""Characters of what a visitor types at once."""
