namespace Postern.Sasl.Kerberos;

/// <summary>What the service's half of Kerberos says to a token.</summary>
internal abstract record KerberosAnswer
{
    private KerberosAnswer()
    {
    }

    /// <summary>The client has more to show.</summary>
    public sealed record Continue(byte[] Token) : KerberosAnswer;

    /// <summary>The ticket is good; <paramref name="Token"/> proves this service to the client, and is empty where it did not ask for that.</summary>
    /// <param name="Principal">Of the client, with its realm; with <c>\</c> before what would be read as another part.</param>
    public sealed record Established(string Principal, byte[] Token) : KerberosAnswer;

    /// <param name="IsOurs">This service could have accepted nothing; else the client showed nothing good.</param>
    public sealed record Refused(string Reason, bool IsOurs) : KerberosAnswer;
}
