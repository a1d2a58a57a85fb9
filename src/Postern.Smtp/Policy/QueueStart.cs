namespace Postern.Smtp.Policy;

/// <summary>What became of an ETRN; the reply codes are those of RFC 1985 §5.3.</summary>
public abstract record QueueStart
{
    private QueueStart()
    {
    }

    /// <summary>250: started, and it is not known what waits.</summary>
    public sealed record Started : QueueStart;

    /// <summary>251: nothing waits.</summary>
    public sealed record Nothing : QueueStart;

    /// <summary>253: so many messages were started; 252 where <paramref name="Count"/> is null.</summary>
    public sealed record Pending(int? Count) : QueueStart;

    /// <summary>458: not now.</summary>
    public sealed record NotNow(string Reason) : QueueStart;

    /// <summary>459: not for this client, or never for this domain.</summary>
    public sealed record NotAllowed(string Reason) : QueueStart;
}
