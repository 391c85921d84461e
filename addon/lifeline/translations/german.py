# SPDX-License-Identifier: GPL-3.0-or-later
"""German. The settings keep their names, which are those of the environment."""

TEXTS = {
    "Unsaved Work": "Ungesicherte Arbeit",
    "Work that was not saved in its place, and nobody has opened yet": (
        "Arbeit, die nicht an ihrem Platz gespeichert wurde und die noch niemand geöffnet hat"
    ),
    "Untitled": "Unbenannt",
    "Blender was ended before it was saved.": "Blender wurde beendet, bevor sie gespeichert war.",
    "It was saved here, and reached no store.": (
        "Sie wurde hier gespeichert und hat keinen Speicher erreicht."
    ),
    "The server was lost before it was saved.": (
        "Der Server ging verloren, bevor sie gespeichert war."
    ),
    "Open Unsaved Work": "Ungesicherte Arbeit öffnen",
    "Open it; what is open now goes into a recovery copy first, if it has changed": (
        "Sie öffnen; was jetzt offen ist, kommt vorher in eine Rettungskopie, wenn es sich "
        "geändert hat"
    ),
    "Not Needed": "Wird nicht gebraucht",
    "Do not offer it any more; the file stays in the recovery folder": (
        "Sie nicht mehr anbieten; die Datei bleibt im Rettungsordner"
    ),
    "Details": "Einzelheiten",
    "Allow Online Access": "Online-Zugriff erlauben",
    "What will happen, why, and what is being done about it": (
        "Was geschehen wird, warum, und was dagegen getan wird"
    ),
    "The file is saved, and Blender closes.": (
        "Die Datei wird gespeichert, und Blender wird beendet."
    ),
    "From then on nothing is saved, and nothing closes, by itself.": (
        "Von da an wird nichts von selbst gespeichert, und nichts beendet sich."
    ),
    "Show": "Zeigen",
    "Show the settings of this section": "Die Einstellungen dieses Abschnitts zeigen",
    "set": "gesetzt",
    "Settings count from the next connection on: press Connect.": (
        "Einstellungen gelten ab der nächsten Verbindung: Verbinden drücken."
    ),
    "({} from the environment)": "({} aus der Umgebung)",
    "From {} to {}": "Von {} bis {}",
    "Environment: {}": "Umgebung: {}",
    "The policy is being checked": "Die Richtlinie wird geprüft",
    "The outage is being simulated": "Der Ausfall wird simuliert",
    "and {} more": "und {} weitere",
    "{} is not from a file of this computer: revert the policy, or choose its file.": (
        "{} ist aus keiner Datei dieses Rechners: zur gesetzten Richtlinie zurückkehren oder "
        "ihre Datei wählen."
    ),
    "The countdown begins: {} to go": "Der Countdown beginnt: noch {}",
    "A warning: {} to go": "Eine Warnung: noch {}",
    "The server is lost": "Der Server ist weg",
    "The file is saved": "Die Datei wird gespeichert",
    "Blender closes": "Blender wird beendet",
    "{}, if the server is lost for good:": "{}, wenn der Server nicht wiederkommt:",
    "{} attempts to connect in all": "{} Verbindungsversuche insgesamt",
    "Attempt {} to connect fails": "Verbindungsversuch {} scheitert",
    "Countdown": "Countdown",
    "How much of the countdown is left before Blender saves and closes": (
        "Wie viel vom Countdown übrig ist, bis Blender speichert und sich beendet"
    ),
    "It was uploaded.": "Sie wurde hochgeladen.",
    "It was not uploaded; the file is on the disk.": (
        "Sie wurde nicht hochgeladen; die Datei liegt auf der Festplatte."
    ),
    "at an unknown time": "zu unbekannter Zeit",
    "The server was lost, and Blender ended unexpectedly.": (
        "Der Server ging verloren, und Blender endete unerwartet."
    ),
    "The work could not be saved: look for a backup (.blend1).": (
        "Die Arbeit konnte nicht gespeichert werden: nach einer Sicherung (.blend1) suchen."
    ),
    "The work was saved as a recovery copy:": ("Die Arbeit wurde als Rettungskopie gespeichert:"),
    "Saved:": "Gespeichert:",
    "Nothing had to be saved.": "Es musste nichts gespeichert werden.",
    "The server was away for {}.": "Der Server war {} lang weg.",
    "The server was lost, and Blender closed.": (
        "Der Server ging verloren, und Blender wurde beendet."
    ),
    "Blender was shut down by the system.": "Blender wurde vom System beendet.",
    "The server was lost; Blender did not close, and was ended.": (
        "Der Server ging verloren; Blender schloss sich nicht und wurde abgebrochen."
    ),
    "The server was away when Blender was closed, or disconnected, by hand.": (
        "Der Server war weg, als Blender von Hand beendet oder getrennt wurde."
    ),
    "Nothing was saved: look for a recovery copy or a backup (.blend1).": (
        "Es wurde nichts gespeichert: nach einer Rettungskopie oder Sicherung (.blend1) suchen."
    ),
    "The line to the server": "Die Verbindung zum Server",
    "Server": "Server",
    "Connect to the server with the settings as they are now; a countdown starts afresh": (
        "Mit den jetzigen Einstellungen verbinden; ein Countdown beginnt von vorn"
    ),
    "Connect": "Verbinden",
    "Say goodbye to the server: from then on nothing is saved and nothing closes by itself": (
        "Vom Server trennen: von da an wird nichts von selbst gespeichert oder beendet"
    ),
    "Disconnect": "Trennen",
    "Let another policy decide when Blender saves and closes; a countdown goes on where it is": (
        "Eine andere Richtlinie entscheiden lassen, wann Blender speichert und sich beendet; ein "
        "Countdown läuft weiter"
    ),
    "Swap Policy": "Richtlinie tauschen",
    "Go back to the policy that is set, or the built-in one; forget what the server has sent": (
        "Zur gesetzten oder eingebauten Richtlinie zurückkehren; vergessen, was der Server "
        "geschickt hat"
    ),
    "Revert Policy": "Zur gesetzten Richtlinie",
    "Take the policy that is set now, as its file is now; without one, the built-in policy": (
        "Die jetzt gesetzte Richtlinie nehmen, wie ihre Datei jetzt ist; sonst die eingebaute"
    ),
    "Reload Policy": "Richtlinie neu laden",
    "Look whether the policy that is set can be used; the preferences tell what was found": (
        "Prüfen, ob die gesetzte Richtlinie brauchbar ist; die Einstellungen zeigen das Ergebnis"
    ),
    "Check Policy": "Richtlinie prüfen",
    "Show what would happen if the server were lost now; nothing is saved, and nothing closes": (
        "Zeigen, was bei einem Ausfall geschähe; nichts wird gespeichert oder beendet"
    ),
    "Simulate an Outage": "Ausfall simulieren",
    "Policy": "Richtlinie",
    "A policy component": "Eine Richtlinie als Komponente",
    "No policy was chosen: give the path of a .wasm file.": (
        "Keine Richtlinie gewählt: den Pfad einer .wasm-Datei angeben."
    ),
    "Try to connect now, without waiting for the next attempt; the countdown does not change": (
        "Jetzt verbinden, ohne auf den nächsten Versuch zu warten; der Countdown bleibt, wie er ist"
    ),
    "Try Now": "Jetzt versuchen",
    "Keep Blender open without its server, until you release it or the server is back": (
        "Blender ohne Server offen halten, bis Sie es freigeben oder der Server wieder da ist"
    ),
    "Keep Open": "Offen halten",
    "Give the server five more minutes before Blender saves and closes": (
        "Dem Server fünf Minuten mehr geben, bevor Blender speichert und sich beendet"
    ),
    "Extend 5 Minutes": "5 Minuten mehr",
    "Keep Blender open no longer: the countdown starts afresh": (
        "Blender nicht länger offen halten: der Countdown beginnt von vorn"
    ),
    "Release": "Freigeben",
    "Save the file and close Blender now, without waiting for the server": (
        "Jetzt speichern und Blender beenden, ohne auf den Server zu warten"
    ),
    "Save and Close Now": "Jetzt speichern und beenden",
    "Seconds": "Sekunden",
    "How much to add": "Wie viel dazukommt",
    "Show the settings of the server connection": (
        "Die Einstellungen der Verbindung zum Server zeigen"
    ),
    "Server Preferences": "Einstellungen der Verbindung",
    "Show the recovery copies in the system's file browser": (
        "Die Rettungskopien im Dateiverwalter zeigen"
    ),
    "Open Recovery Folder": "Ordner der Rettungskopien",
    "Copy how the line stands to the clipboard, as JSON without secrets, for a bug report": (
        "Den Stand der Verbindung als JSON ohne Geheimnisse kopieren, für einen Fehlerbericht"
    ),
    "Copy Status": "Stand kopieren",
    "The recovery copies are in {}.": "Die Rettungskopien liegen in {}.",
    "There is no recovery copy yet: {} does not exist.": (
        "Es gibt noch keine Rettungskopie: {} ist nicht da."
    ),
    "The line's state, and what can be done about it": (
        "Der Stand der Verbindung, und was man tun kann"
    ),
    "What the last outage has led to, and what was saved where": (
        "Was der letzte Ausfall bewirkt hat, und was wo gespeichert wurde"
    ),
    "Last Outage": "Letzter Ausfall",
    "Who decides when Blender saves and closes": (
        "Wer entscheidet, wann Blender speichert und sich beendet"
    ),
    "Working on {}": "In Arbeit: {}",
    "Your work is saved first.": "Ihre Arbeit wird vorher gespeichert.",
    "What You Can Do": "Was Sie tun können",
    "Blender will save and close at {}": "Blender speichert und beendet sich um {}",
    "The server was not reached yet.": "Der Server wurde noch nicht erreicht.",
    "The connection was lost.": "Die Verbindung ging verloren.",
    "The server stopped answering.": "Der Server antwortet nicht mehr.",
    "The server has frozen.": "Der Server ist eingefroren.",
    "The server has disconnected this Blender.": "Der Server hat dieses Blender getrennt.",
    "Blender is being shut down": "Blender wird heruntergefahren",
    "trying to connect": "Verbindungsversuch",
    "Server unavailable": "Server nicht erreichbar",
    "The server refuses this Blender": "Der Server weist dieses Blender ab",
    "The server refuses this Blender: {}.": "Der Server weist dieses Blender ab: {}.",
    "Are the server's address and headers right? Then press Try Now.": (
        "Stimmen Adresse und Kopfzeilen des Servers? Dann Jetzt versuchen drücken."
    ),
    "Is your page open in a browser? Are name and token right, and is the token still good? "
    "Then press Try Now.": (
        "Ist Ihre Seite in einem Browser offen? Stimmen Name und Token, und gilt das Token noch? "
        "Dann Jetzt versuchen drücken."
    ),
    "kept open until released in the sidebar (N) > {}": (
        "offen bis zur Freigabe in der Seitenleiste (N) > {}"
    ),
    "Not connected": "Nicht verbunden",
    "After attempt {}, Blender counts down {} and then saves and closes.": (
        "Nach Versuch {} läuft ein Countdown von {}; dann speichert Blender und beendet sich."
    ),
    "Then {} is saved, and Blender closes.": "Dann wird {} gespeichert und Blender beendet.",
    "Not running": "Nicht aktiv",
    "Connected": "Verbunden",
    "Connecting": "Verbindet",
    "Saving the file": "Speichert die Datei",
    "Closing Blender": "Beendet Blender",
    "Kept open until released": "Offen bis zur Freigabe",
    "Then your untitled work is saved as a recovery copy, and Blender closes.": (
        "Dann wird Ihre unbenannte Arbeit als Rettungskopie gespeichert und Blender beendet."
    ),
    "Nothing is saved or closed until you press Release or the server is back.": (
        "Nichts wird gespeichert oder beendet, bis Sie Freigeben drücken oder der Server wieder "
        "da ist."
    ),
    "Blender saves and closes at {}": "Blender speichert und beendet sich um {}",
    "It is set aside, and five-minutes decides: choose another policy.": (
        "Sie ist abgesetzt, und five-minutes entscheidet: eine andere Richtlinie wählen."
    ),
    "attempt {} of {}": "Versuch {} von {}",
    "The last attempt failed: {}.": "Der letzte Versuch scheiterte: {}.",
    "An attempt to connect is under way.": "Ein Verbindungsversuch läuft.",
    "Blender will save and close in {} — Keep Open in the sidebar (N) > {}": (
        "Blender speichert und beendet sich in {} — Offen halten in der Seitenleiste (N) > {}"
    ),
    "saving the file": "die Datei wird gespeichert",
    "closing Blender": "Blender wird beendet",
    "Save and close in {}": "Speichern und beenden in {}",
    "Not taken: {}": "Nicht genommen: {}",
    "The next attempt is in {}.": "Der nächste Versuch ist in {}.",
    "The server, like ws://host:8000; its path is /ws/socket.io/ unless the URL has one": (
        "Der Server, etwa ws://host:8000; sein Pfad ist /ws/socket.io/, wenn die URL keinen hat"
    ),
    "Whose Blender this is": "Wessen Blender dies ist",
    "Who that is, where two people may have one name: recovery copies go by it, else by the name": (
        "Wer das ist, wo zwei denselben Namen haben können: Rettungskopien richten sich danach, "
        "sonst nach dem Namen"
    ),
    "What is worked on: recovery copies of one project are not offered in another": (
        "Woran gearbeitet wird: Rettungskopien eines Projekts werden in keinem anderen angeboten"
    ),
    "What the server asks for before it accepts this Blender": (
        "Was der Server verlangt, bevor er dieses Blender annimmt"
    ),
    "Certificates (PEM) of authorities that are trusted beside the system's": (
        "Zertifikate (PEM) von Stellen, denen neben denen des Systems vertraut wird"
    ),
    "Attempts to reconnect before the countdown starts": (
        "Verbindungsversuche, bevor der Countdown beginnt"
    ),
    "Attempts and countdown": "Versuche und Countdown",
    "Delay before the first attempt; it doubles with each further one": (
        "Pause vor dem ersten Versuch; sie verdoppelt sich mit jedem weiteren"
    ),
    "The longest delay between attempts": "Die längste Pause zwischen Versuchen",
    "Each delay is moved by up to this much, either way": (
        "Um so viel wird jede Pause höchstens verlängert oder verkürzt"
    ),
    "An attempt without an answer has failed after this long": (
        "Nach dieser Zeit ohne Antwort ist ein Versuch gescheitert"
    ),
    "A connected server that has been silent for this long is asked by HTTP whether it lives;"
    " 0: never": (
        "Ein verbundener Server, der so lange geschwiegen hat, wird per HTTP gefragt, ob er lebt;"
        " 0: nie"
    ),
    "In the long run a server without traffic is asked no more often than this": (
        "Auf lange Sicht wird ein Server ohne Verkehr nicht öfter gefragt"
    ),
    "The countdown: Blender saves and closes this long after the last attempt": (
        "Der Countdown: so lange nach dem letzten Versuch speichert Blender und beendet sich"
    ),
    "Warn when this much of the countdown is left": (
        "Warnen, wenn so viel vom Countdown übrig ist"
    ),
    "A running render may put off the save by this much at most": (
        "So lange darf ein laufendes Rendern das Speichern höchstens aufschieben"
    ),
    "Blender never closes sooner than this after the loss, whatever the policy": (
        "Früher nach dem Verlust beendet sich Blender nie, gleich welche Richtlinie gilt"
    ),
    "Closing": "Beenden",
    "A policy that has not ended an outage this long after its attempts and its countdown, though "
    "nobody holds it, is set aside; 0: never": (
        "Eine Richtlinie, die einen Ausfall so lange nach Versuchen und Countdown nicht beendet "
        "hat, obwohl niemand ihn anhält, wird abgesetzt; 0: nie"
    ),
    "A URL that takes the saved file by HTTP PUT (a presigned one, say) before Blender closes": (
        "Eine URL, die die gespeicherte Datei per HTTP PUT annimmt, bevor Blender endet"
    ),
    "Saving": "Speichern",
    "A webhook that is told by HTTP POST of the countdown, of its end, and of what was saved": (
        "Ein Webhook, der per HTTP POST von Countdown, dessen Ende und Gespeichertem erfährt"
    ),
    "A notification, with all its retries, is given up after this long": (
        "Eine Benachrichtigung wird mit all ihren Wiederholungen nach so langer Zeit aufgegeben"
    ),
    "Headers for what stands in front of the server, like X-Gate: open; several are separated by "
    "semicolons or ends of lines": (
        "Kopfzeilen für das, was vor dem Server steht, etwa X-Gate: open; mehrere trennt ein "
        "Semikolon oder ein Zeilenende"
    ),
    "In place of save_url: a URL, or the JSON of an upload in parts": (
        "Anstelle von save_url: eine URL, oder das JSON eines Hochladens in Teilen"
    ),
    "A file that holds what save_target would, and is read again at each upload: it may be "
    "renewed": (
        "Eine Datei mit dem, was in save_target stünde; sie wird bei jedem Hochladen neu gelesen "
        "und darf erneuert werden"
    ),
    "A file that holds the token, and is read again at each attempt to connect: it may be "
    "renewed": (
        "Eine Datei, die das Token enthält; sie wird bei jedem Verbindungsversuch neu gelesen und "
        "darf erneuert werden"
    ),
    "What counts as safe. local: what is on the disk; uploaded: what the save target has, and "
    "until then Blender stays as if nothing could be saved": (
        "Was als sicher gilt. local: was auf der Festplatte ist; uploaded: was am Speicherziel "
        "ist; bis dahin bleibt Blender, als ließe sich nichts speichern"
    ),
    "Where copies are uploaded that must not replace the file at the save target: a URL with "
    "{name} in it, or a JSON list of URLs that are used once each": (
        "Wohin Kopien hochgeladen werden, die die Datei am Speicherziel nicht ersetzen dürfen: "
        "eine URL, die {name} enthält, oder eine JSON-Liste von URLs, die je einmal benutzt werden"
    ),
    "The credentials are good until {}.": "Die Zugangsdaten gelten bis {}.",
    "The credentials have expired ({}): the server may not accept them.": (
        "Die Zugangsdaten sind abgelaufen ({}): der Server nimmt sie womöglich nicht mehr an."
    ),
    "Headers of the upload, like x-ms-blob-type: BlockBlob; several are separated by semicolons or "
    "ends of lines": (
        "Kopfzeilen des Hochladens, etwa x-ms-blob-type: BlockBlob; mehrere trennt ein Semikolon "
        "oder ein Zeilenende"
    ),
    "An upload, with all its retries, is given up after this long; the file stays on disk": (
        "Nach dieser Zeit wird ein Hochladen aufgegeben; die Datei bleibt auf der Festplatte"
    ),
    "Once the server is unreachable, a recovery copy of the work is made, and again each minute in "
    "which it has changed; 0: not before the countdown has ended": (
        "Sobald der Server unerreichbar ist, wird eine Wiederherstellungskopie der Arbeit gemacht, "
        "und in jeder Minute, in der sie sich geändert hat, noch einmal; 0: nicht vor dem Ende des "
        "Countdowns"
    ),
    "When nothing can be saved, saving is tried again for this long before Blender closes all the "
    "same": (
        "Wenn nichts gespeichert werden kann, wird es so lange erneut versucht, bevor Blender "
        "trotzdem endet"
    ),
    "A Blender whose work is safe and that does not close is ended after this long": (
        "Ein Blender, dessen Arbeit sicher ist und das sich nicht schließt, wird danach abgebrochen"
    ),
    "A Blender too busy to begin the save is ended after this long, its work unsaved; 0: never": (
        "Ein Blender, das zu beschäftigt zum Speichern ist, wird danach ungespeichert abgebrochen; "
        "0: nie"
    ),
    "On SIGTERM while the server is connected Blender closes. recover: its work goes into a "
    "recovery copy, and the file stays as it is; save: into the file, which is uploaded; leave: "
    "SIGTERM is left alone, in an outage too": (
        "Bei SIGTERM, während der Server verbunden ist, endet Blender. recover: die Arbeit kommt "
        "in eine Wiederherstellungskopie, die Datei bleibt, wie sie ist; save: in die Datei, die "
        "hochgeladen wird; leave: SIGTERM bleibt unbeachtet, auch in einem Ausfall"
    ),
    "After a SIGTERM an upload and the closing may take this long; 0: as leave": (
        "So lange dürfen nach einem SIGTERM Hochladen und Beenden dauern; 0: wie leave"
    ),
    "Where each outage is written down; empty: a file in Blender's user data": (
        "Wo jeder Ausfall verzeichnet wird; leer: eine Datei in Blenders Benutzerdaten"
    ),
    "Reports": "Berichte",
    "Where the log goes as JSON lines, beside standard output; empty: nowhere": (
        "Wohin das Protokoll als JSON-Zeilen geht, neben der Standardausgabe; leer: nirgendwohin"
    ),
    "Where metrics are kept for node_exporter: a name that ends in .prom; empty: nowhere": (
        "Wo Messwerte für node_exporter liegen: ein Name, der auf .prom endet; leer: nirgends"
    ),
    "A policy component (.wasm), taken again whenever the file changes; empty: the built-in "
    "five-minutes": (
        "Eine Richtlinie (.wasm), neu geladen, sobald sich die Datei ändert; leer: die eingebaute "
        "five-minutes"
    ),
    "SHA-256 of the only policies that are taken, separated by commas; empty: any": (
        "SHA-256 der einzigen Richtlinien, die genommen werden, mit Kommas; leer: jede"
    ),
    "1: the server may send another policy": "1: der Server darf eine andere Richtlinie schicken",
    "Where a policy that the server has sent is kept; empty: a folder in Blender's user data": (
        "Wo eine Richtlinie vom Server aufgehoben wird; leer: ein Ordner in Blenders Benutzerdaten"
    ),
    "Where compiled policies are kept; empty: the user's cache folder; off: nowhere": (
        "Wo übersetzte Richtlinien liegen; leer: im Cache-Ordner des Benutzers; off: nirgends"
    ),
    "Units of fuel (roughly, instructions) that a call of a policy may use": (
        "Einheiten Treibstoff (etwa Befehle), die ein Aufruf einer Richtlinie verbrauchen darf"
    ),
    "Limits of a policy": "Grenzen einer Richtlinie",
    "A call of a policy is broken off after this long, whatever its fuel": (
        "Danach wird ein Aufruf einer Richtlinie abgebrochen, gleich mit wie viel Treibstoff"
    ),
    "MiB of memory that a call of a policy may use": (
        "MiB Speicher, die ein Aufruf einer Richtlinie benutzen darf"
    ),
    "Entries that a table of a policy may have": (
        "Einträge, die eine Tabelle einer Richtlinie haben darf"
    ),
    "KiB of stack that a call of a policy may use": (
        "KiB Stapel, die ein Aufruf einer Richtlinie benutzen darf"
    ),
    "KiB that a policy may answer with: state, memo, actions and texts together": (
        "KiB, mit denen eine Richtlinie antworten darf: Zustand, Notiz, Aktionen und Texte zusammen"
    ),
    "Bytes of memo that a policy may keep": "Bytes Notiz, die eine Richtlinie behalten darf",
    "Actions that a policy may ask for at once": (
        "Aktionen, um die eine Richtlinie auf einmal bitten darf"
    ),
    "MiB that a policy's file may have": "MiB, die die Datei einer Richtlinie haben darf",
    "Where recovery copies go; empty: a folder in Blender's user data": (
        "Wohin Rettungskopien gehen; leer: ein Ordner in Blenders Benutzerdaten"
    ),
}
