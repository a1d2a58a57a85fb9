using Postern.Configuration.Reading;
using Postern.Relay.Audit.Accounting;
using Postern.Relay.Audit.Onward;

namespace Postern.Configuration;

/// <summary><c>logs</c>: where events are written, one JSON object a line.</summary>
/// <param name="Directory">Relative to <c>server.data</c>, or absolute.</param>
/// <param name="Keep">Whole days besides today.</param>
/// <param name="Most">Octets of all files together.</param>
/// <param name="Subject">Whether the subjects of messages are written.</param>
internal sealed record LogsOptions(string Directory, int Keep = 90, long Most = 10_000_000_000, bool Subject = false)
{
    private const long UsualRotation = 100_000_000;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly Kind<bool> Formats = Kinds.Word(("json", false), ("acctlog", true));

    private static readonly Kind<bool> Yes = Kinds.Word(("true", true), ("false", false));

    private static readonly Kind<SyslogTarget?> Servers = new(
        "server",
        "tcp://host:port or tcp+tls://host:port",
        static (string text, out SyslogTarget? target) => SyslogTarget.TryParse(text, out target),
        []);

    /// <summary>A server that is sent every line; null for none.</summary>
    public SyslogTarget? Syslog { get; init; }

    /// <summary>The journal of this machine; null where it is sent nothing.</summary>
    public JournalTarget? Journal { get; init; }

    /// <summary>The accounting log; null where there is none.</summary>
    public AcctLogOptions? Accounting { get; init; }

    public static LogsOptions Read(Section section) =>
        new(section.Value(
            "directory", Kinds.FilePath, "logs", "`logs`", "The directory of the log files; a relative path is below `server.data`."),
            section.Value("keep", Kinds.Count, 90, "90", "Days kept besides today; older files are deleted."),
            section.Value(
                "most",
                Kinds.Size,
                10_000_000_000,
                "10GB",
                "All log files together; beyond it the oldest file of the largest kind is deleted. "
                    + "What clients without a login cause may be a twentieth of it, for each kind and day; the rest is counted. "
                    + "Short of room, the log stops before the spool does."),
            section.Value(
                "subject",
                Kinds.Word(("true", true), ("false", false)),
                fallback: false,
                "false",
                "`true`: the event of an accepted message has its subject. It is found by nobody who may not read the log, "
                    + "but it often says what its sender would not want others to read."))
        {
            Syslog = ReadSyslog(section),
            Journal = section.Value(
                "journal",
                Yes,
                fallback: false,
                "false",
                "`true`: the journal of systemd on this machine is sent every event too, with fields to find it by (see syslog.md).")
                ? new JournalTarget()
                : null,
            Accounting = section.Child("auth", ReadAuth, "Logins and what they may do, in another form beside the files of JSON lines."),
        };

    private static SyslogTarget? ReadSyslog(Section section)
    {
        var target = section.Value(
            "syslog",
            Servers,
            fallback: null,
            "none",
            "`tcp+tls://log.example.net:6514` or `tcp://log.example.net:514`: a server that is sent every event too (RFC 5424; see "
                + "syslog.md). Over TLS its certificate has to verify.");
        var authorities = TrustedFile.Read(
            section, "A PEM file of certificates that the one of `syslog` is verified against.", "syslog_ca");
        if (authorities is not null && target is not { IsTls: true })
            section.Report("syslog_ca", "no server of 'syslog' shows a certificate", "syslog: tcp+tls://host:port, or no syslog_ca");
        return target is { IsTls: true } ? target with { Authorities = authorities } : target;
    }

    private static AcctLogOptions? ReadAuth(Section section)
    {
        var isAcctLog = section.Value(
            "format",
            Formats,
            fallback: false,
            "json",
            "`acctlog`: a file `acctlog` too, in the form of Momentum's (see acctlog.md). The files of JSON lines stay: `postern log` and "
                + "`explain` read them.");
        var options = new AcctLogOptions
        {
            RotateOctets = section.Value(
                "rotate_size",
                Kinds.Size,
                UsualRotation,
                "100MB",
                "A file `acctlog` that would be larger is put aside, and a new one begun."),
            RotateEvery = section.Value(
                "rotate_every", Kinds.Duration, Day, "1d", "So is one that was begun before the last time that this has passed, by UTC."),
            Compress = section.Value(
                "compress", Yes, fallback: true, "true", "Files that were put aside are compressed (gzip), but for the newest."),
        };
        return isAcctLog ? options : null;
    }
}
