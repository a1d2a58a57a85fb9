namespace Postern.Interop.Tests.Matrix.Clients;

/// <summary>Python's smtplib; XOAUTH2 by an authentication object of the script's own, as its documentation says.</summary>
internal sealed class SmtplibClient() : ScriptedClient("/usr/bin/python3", "smtplib_login.py")
{
    public static readonly SmtplibClient Instance = new();

    public override string Name => "smtplib";
}
