namespace Postern.Sasl.Client;

/// <summary>An exchange whose answers do not depend on what the server says.</summary>
internal sealed class ScriptedExchange(byte[]? initial, params byte[][] answers) : ISaslClientExchange
{
    private int next = -1;

    public bool MayTrustSuccess => next == answers.Length;

    public SaslClientStep Next(ReadOnlyMemory<byte>? challenge)
    {
        if (next < 0)
        {
            next = 0;
            return initial is null ? SaslClientStep.Response.None : new SaslClientStep.Response(initial);
        }

        return next < answers.Length
            ? new SaslClientStep.Response(answers[next++])
            : new SaslClientStep.Cancel("the server asks for more than this mechanism has");
    }

    public void Dispose()
    {
    }
}
