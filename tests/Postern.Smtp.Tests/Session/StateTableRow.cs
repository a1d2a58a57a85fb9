using Postern.Smtp.Session;

namespace Postern.Smtp.Tests.Session;

/// <summary>A command, and the code that answers it in each phase and before TLS where that is required.</summary>
internal sealed record StateTableRow(string Command, int Connected, int Ready, int Mail, int Rcpt, int Bdat, int BeforeTls)
{
    public string Verb => Command.Split(' ')[0];

    public int Reply(Phase phase) => phase switch
    {
        Phase.Connected => Connected,
        Phase.Ready => Ready,
        Phase.Mail => Mail,
        Phase.Rcpt => Rcpt,
        _ => Bdat,
    };
}
