"""Entry: `python -m simulation`."""
import sys
import time

from simulation.database import Databases, server
from simulation.script import write_script
from simulation.story import Story, quiet

first, last = int(sys.argv[1]), int(sys.argv[2])
with server() as url, quiet():
    databases = Databases(url)
    begun = time.time(); bad = 0
    for seed in range(first, last):
        with databases.fresh() as database:
            story = Story(write_script(seed), database)
            try:
                story.tell()
            except BaseException as error:
                bad += 1
                print(seed, story.script.troubles, type(error).__name__, str(error)[:600])
                if len(sys.argv) > 3:
                    for item in story.script.items: print(item)
                    print(story.script.setup)
                    print("\n".join(list(story.trace)[-int(sys.argv[3]):]))
                    if not isinstance(error, AssertionError): raise
            finally:
                story.close()
    print(story.hist.most_common(12))
    print(last - first, "seeds", bad, "bad", time.time() - begun, "s", story.steps, hex(story.fingerprint))
