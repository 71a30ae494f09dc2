"""How exports of different countries and makers name columns and write values; `|` stands between alternatives."""

from __future__ import annotations

import random

_KEYS = """
arrived date clock answered_at ended_at queue media agent outcome wait handle talk hold acw skill language id phone
customer direction wrap agent_id name first last email skills languages team goal share seconds start end break_start
break_end code voice chat answered abandoned flowed_out yes no off sick holiday total report legend inbound work rest
"""

_ROWS = {
    "de": """
Datum/Uhrzeit|Eingang|Anrufbeginn|Startzeit; Datum; Uhrzeit|Zeit; Angenommen um|Gesprächsbeginn; Ende|Gesprächsende;
Warteschlange|Queue|Hotline|Dienst; Medientyp|Medium|Kanal; Agent|Mitarbeiter|Bearbeiter; Ergebnis|Status|Anrufstatus;
Wartezeit|Wartedauer; Bearbeitungszeit|AHT|Bearbeitungsdauer; Gesprächszeit|Sprechzeit|Gesprächsdauer;
Haltezeit|Haltedauer; Nachbearbeitung|Nachbearbeitungszeit; Skills|Skill|Fähigkeit; Sprache;
Conversation-ID|Vorgangsnummer|Anruf-ID|Kontakt-ID; ANI|Rufnummer|Anrufernummer; Kundenname|Kunde; Richtung;
Abschlusscode|Bemerkung; Personalnr|Agent-ID|Mitarbeiternummer|Kürzel; Name|Mitarbeiter|Agent; Vorname; Nachname;
E-Mail|Mailadresse; Skills|Fähigkeiten|Kompetenzen; Sprachen; Team|Gruppe|Abteilung; Ziel|Servicelevel-Ziel|SL-Ziel;
Zielwert|Servicelevel|SL Ziel %; Schwelle (s)|Zielzeit (Sek.)|Annahmezeit (s); Beginn|Von|Schichtbeginn;
Ende|Bis|Schichtende; Pausenbeginn|Pause von; Pausenende|Pause bis; Schicht|Dienst|Code;
Sprachanruf|Anruf|Telefon|Sprache; Chat; beantwortet|angenommen|bearbeitet; aufgelegt|abgebrochen|verloren|Abbruch;
Überlauf|weitergeleitet|Voicemail; Ja|J; Nein|N; frei|-; krank; Urlaub; Summe|Gesamt; Bericht: Einzelanrufe;
Legende|Schichtcodes; eingehend; Telefonie; Pause
""",
    "en-US": """
Date|Start Time|Call Date/Time|Date/Time; Date|Call Date; Time|Call Time; Answer Time|Connected At|Answered At; End
Time|Disconnected At; Queue|Queue Name|Skill Group|Call Queue; Media Type|Channel|Type; Users|Agent|Agent
Name|Representative; Disposition|Result|Outcome|Status; Total Queue|Wait Time|Queue Time|Time in Queue; Total
Handle|Handle Time; Total Talk|Talk Time; Total Hold|Hold Time; Total ACW|After Call Work|Wrap Time;
Skills|Skill|Required Skill; Language; Conversation ID|Call ID|Contact ID|Interaction ID; ANI|Caller ID|Phone Number;
Customer Name|Caller Name; Direction; Wrap-up|Notes; Agent ID|Employee ID|User ID|Login; Name|Agent Name|Full Name;
First Name; Last Name; Email|E-mail Address; Skills|ACD Skills; Languages|Language Skills; Team|Group|Division;
Goal|SLA|Service Level Goal; Service Level %|SL Target; Threshold (sec)|Service Level Seconds; Start|Shift Start|From;
End|Shift End|To; Break Start|Lunch Start; Break End|Lunch End; Shift|Shift Code; voice|Call|Phone; chat;
Answered|Handled|Connected; Abandoned|Abandon|Hung Up; Overflow|Flow Out|Voicemail|Transferred to voicemail;
Yes|Y|TRUE; No|N|FALSE; off|OFF|Day Off; Sick|sick; PTO|Vacation; Total|Grand Total; Call Detail Report; Legend|Shift
Codes; Inbound; Phones; Break
""",
    "en-GB": """
Date and Time|Call Start|Offered At; Date; Time; Answered|Answer Time; Ended|Call End; Queue|Queue name|Line;
Media|Channel; Agent|Advisor|Handled By; Outcome|Call Outcome|Call Result; Waiting Time|Queue Time|Wait; Handling
Time|Handle Time; Talk Time|Talking Time; Hold Time; Wrap|Wrap Time|After-call Work; Skill|Skills; Language; Call
Reference|Call ID|Contact ID; Telephone|CLI; Customer; Direction; Comments|Reason; Staff Number|Agent ID|Payroll No;
Name|Advisor|Agent Name; Forename; Surname; Email|Work Email; Skills; Languages; Team|Department; Target|Service
Level; Target %|Service Level Target; Target (seconds)|Answer Within (s); Start|Shift Start; Finish|Shift End; Break
From|Lunch Start; Break To|Lunch End; Shift|Shift Code; Telephone|Voice|Call; Web chat; Answered|Handled;
Abandoned|Lost|Caller hung up; Overflowed|Diverted|Voicemail; Yes|Y; No|N; off|day off|Rest; sick|Sickness; A/L|Annual
leave|leave; Total; Call log; Key|Shift codes; Inbound; Phones; Break
""",
    "fr": """
Date et heure|Date/Heure|Début d'appel; Date; Heure; Heure de réponse|Décroché à; Fin d'appel|Heure de fin; File
d'attente|File|Service; Média|Canal|Type de média; Agent|Conseiller|Téléconseiller; Résultat|Statut; Temps
d'attente|Attente|Durée d'attente; Temps de traitement|DMT|Durée de traitement; Temps de conversation|Durée de
conversation; Mise en attente|Temps de garde; Post-appel|Temps de post-appel; Compétence|Compétences; Langue; ID
conversation|Identifiant|N° d'appel; Numéro appelant|Téléphone; Client|Nom du client; Sens; Motif|Commentaire;
Matricule|Identifiant agent; Nom complet|Agent|Nom et prénom; Prénom; Nom; Adresse e-mail|Courriel; Compétences;
Langues; Équipe|Groupe; Objectif|Objectif QS; Niveau de service|Taux cible; Seuil (s)|Délai cible (s); Début|Heure de
début; Fin|Heure de fin; Début de pause; Fin de pause; Poste|Horaire|Code; Appel|Voix|Téléphone; Clavardage|Chat;
répondu|traité|décroché; abandonné|raccroché|perdu; débordement|messagerie; Oui|O; Non|N; repos|libre;
malade|maladie; congé; Total; Rapport des appels; Légende; entrant; Téléphone; Pause
""",
    "es": """
Fecha y hora|Fecha/Hora|Inicio de llamada; Fecha; Hora; Hora de respuesta|Contestada a las; Hora de fin|Fin de
llamada; Cola|Cola de espera|Servicio; Medio|Canal; Agente|Operador; Resultado|Estado; Tiempo de espera|Espera; Tiempo
de gestión|Tiempo de operación|TMO; Tiempo de conversación|Conversación; Tiempo en retención|Retención; Trabajo
posterior|ACW|Tiempo administrativo; Habilidad|Habilidades; Idioma; ID de llamada|Identificador|ID de conversación;
Teléfono|Número de origen; Cliente; Dirección; Motivo|Observaciones; ID de agente|Nº empleado|Legajo; Nombre
completo|Agente|Nombre y apellidos; Nombre; Apellidos; Correo electrónico|Correo; Habilidades|Competencias; Idiomas;
Equipo|Grupo; Objetivo|Objetivo NS; Nivel de servicio|NS objetivo; Umbral (s)|Segundos objetivo; Inicio|Entrada;
Fin|Salida; Inicio descanso; Fin descanso; Turno|Código; Llamada|Voz|Telefónica; Chat; contestada|atendida;
abandonada|colgó|perdida; desbordada|buzón de voz; Sí|S; No|N; libre|descanso; baja|enfermo; vacaciones; Total;
Informe de llamadas; Leyenda; entrante; Teléfono; Descanso
""",
    "it": """
Data e ora|Data/Ora|Inizio chiamata; Data; Ora; Ora di risposta|Risposto alle; Ora fine|Fine chiamata; Coda|Servizio;
Canale|Media; Operatore|Agente; Esito|Stato; Tempo di attesa|Attesa; Tempo di gestione|Durata gestione; Tempo di
conversazione|Conversazione; Tempo in attesa (hold)|Messa in attesa; Lavoro post-chiamata|Post chiamata;
Competenza|Skill; Lingua; ID chiamata|ID conversazione|Identificativo; Numero chiamante|Telefono; Cliente; Direzione;
Motivo|Note; Matricola|ID operatore; Nominativo|Operatore; Nome; Cognome; E-mail|Indirizzo e-mail; Competenze|Skill;
Lingue; Gruppo|Squadra; Obiettivo|Obiettivo SL; Livello di servizio; Soglia (s)|Secondi obiettivo; Inizio|Dalle;
Fine|Alle; Inizio pausa; Fine pausa; Turno|Codice; Chiamata|Voce|Telefonata; Chat; risposta|gestita|risposto;
abbandonata|persa|riagganciato; traboccata|segreteria; Sì|S; No|N; libero|riposo; malattia; ferie; Totale;
Elenco chiamate; Legenda; in entrata; Telefono; Pausa
""",
    "nl": """
Datum/tijd|Datum en tijd|Starttijd; Datum; Tijd; Opgenomen om|Antwoordtijd; Einde gesprek|Eindtijd; Wachtrij|Dienst;
Mediatype|Kanaal; Agent|Medewerker; Resultaat|Uitkomst|Status; Wachttijd|Wachtduur; Afhandeltijd|Afhandelingstijd;
Gesprekstijd|Gespreksduur; Wachtstand|Hold-tijd; Nawerktijd|Nawerk; Vaardigheid|Skill; Taal;
Gespreks-ID|Oproep-ID|Contact-ID; Telefoonnummer|Beller; Klant|Klantnaam; Richting; Afrondcode|Opmerking;
Personeelsnr|Agent-ID; Naam|Medewerker; Voornaam; Achternaam; E-mail|E-mailadres; Vaardigheden|Skills; Talen;
Team|Groep; Doel|Servicedoel; Serviceniveau|Doel %; Drempel (s)|Doel (sec); Begin|Van|Start; Einde|Tot; Begin pauze;
Einde pauze; Dienst|Rooster|Code; Spraak|Telefoon|Oproep; Chat; beantwoord|aangenomen; opgehangen|verlaten|gemist;
overloop|voicemail; Ja|J; Nee|N; vrij; ziek; verlof|vakantie; Totaal; Gesprekkenrapport; Legenda; inkomend;
Telefonie; Pauze
""",
    "pl": """
Data i godzina|Data/czas|Początek połączenia; Data; Godzina|Czas; Odebrano o|Czas odebrania; Koniec
połączenia|Zakończono; Kolejka|Usługa; Typ mediów|Kanał; Agent|Konsultant; Wynik|Status; Czas oczekiwania|Oczekiwanie;
Czas obsługi; Czas rozmowy; Czas wstrzymania|Zawieszenie; Praca po rozmowie|ACW; Umiejętność|Umiejętności; Język; ID
połączenia|Identyfikator|ID rozmowy; Numer dzwoniącego|Telefon; Klient; Kierunek; Uwagi|Powód; Nr pracownika|ID
agenta; Imię i nazwisko|Konsultant; Imię; Nazwisko; E-mail|Adres e-mail; Umiejętności|Kompetencje; Języki;
Zespół|Grupa; Cel|Cel SL; Poziom usług|Cel %; Próg (s)|Sekundy; Początek|Od; Koniec|Do; Początek przerwy; Koniec
przerwy; Zmiana|Kod; Połączenie|Głos|Rozmowa; Czat; odebrane|odebrano|obsłużone; porzucone|rozłączone|utracone;
przepełnienie|poczta głosowa; Tak|T; Nie|N; wolne; chory; urlop; Razem|Suma; Raport połączeń; Legenda;
przychodzące; Telefon; Przerwa
""",
}

# What a maker's own export calls its columns where that differs from everyday English.
_MAKERS = {
    "avaya": {
        "arrived": "SEGSTART", "answered_at": "ANSTIME", "ended_at": "SEGSTOP", "queue": "DISPSPLIT",
        "agent": "ANSLOGIN",
        "outcome": "DISPOSITION", "wait": "DISPTIME", "talk": "TALKTIME", "hold": "ANSHOLDTIME", "acw": "ACWTIME",
        "handle": "HANDLETIME", "id": "CALLID", "phone": "CALLING_PTY", "agent_id": "LOGID", "answered": "ANS",
        "abandoned": "ABAN",
        "flowed_out": "OTHER",
    },
    "nice": {
        "arrived": "Contact Start", "date": "Start Date", "clock": "Start Time", "id": "Contact ID",
        "queue": "Skill Name",
        "media": "Media Name", "agent": "Agent Name", "agent_id": "Agent No", "wait": "InQueue",
        "talk": "Active Talk Time",
        "hold": "Hold Time", "acw": "ACW Time", "handle": "Handle Time", "outcome": "Outcome", "phone": "ANI/From",
        "ended_at": "Contact End", "answered_at": "Agent Start",
    },
    "cisco": {
        "arrived": "Call Start Time", "ended_at": "Call End Time", "outcome": "Contact Disposition",
        "phone": "Originator DN",
        "queue": "CSQ Name", "wait": "Queue Time", "agent": "Agent Name", "talk": "Talk Time", "hold": "Hold Time",
        "acw": "Work Time", "handle": "Handle Time", "id": "Session ID", "answered": "Handled",
        "abandoned": "Abandoned",
        "skill": "Call Skills", "answered_at": "Call Connect Time",
    },
    "connect": {
        "id": "ContactId", "media": "Channel", "arrived": "EnqueueTimestamp",
        "answered_at": "ConnectedToAgentTimestamp",
        "ended_at": "DisconnectTimestamp", "queue": "Queue", "agent": "Agent", "wait": "QueueDuration",
        "handle": "HandleTime",
        "talk": "AgentInteractionDuration", "hold": "CustomerHoldDuration", "acw": "AfterContactWorkDuration",
        "phone": "CustomerEndpointAddress", "voice": "VOICE", "chat": "CHAT", "outcome": "ContactStatus",
    },
}  # fmt: skip

LANGUAGE_OF = {"en-US": "en", "en-GB": "en"} | dict.fromkeys(_MAKERS, "en")
VOCABULARIES = tuple(_ROWS) + tuple(_MAKERS)


WEEKDAYS = {
    "de": "Mo Di Mi Do Fr Sa So", "en": "Mon Tue Wed Thu Fri Sat Sun", "fr": "lun. mar. mer. jeu. ven. sam. dim.",
    "es": "lun mar mié jue vie sáb dom", "it": "lun mar mer gio ven sab dom", "nl": "ma di wo do vr za zo",
    "pl": "pn wt śr cz pt so nd",
}  # fmt: skip


def words_of(vocabulary: str, rng: random.Random) -> dict[str, str]:
    """One word for each key; a header and its neighbours of the same file are never the same word."""
    # Lines end where they are full.
    rows = " ".join(_ROWS["en-US" if vocabulary in _MAKERS else vocabulary].split()).split("; ")
    return {key: rng.choice(row.split("|")) for key, row in zip(_KEYS.split(), rows, strict=True)} | _MAKERS.get(
        vocabulary, {}
    )
