namespace Postern.Relay.Delivery.Scheduling;

/// <summary>
/// What is known of a message between its attempts and need not outlive the process. Most messages have nothing of it, and cost nothing.
/// </summary>
internal sealed class MessageMemory
{
    /// <summary>What its sender wants it held for (FUTURERELEASE), by a clock that nobody sets; null without.</summary>
    public SenderHold? Hold { get; set; }

    /// <summary>
    /// How often the clock had been set at its last attempt, where it has a deadline: only a time that it was tried under may give it up.
    /// </summary>
    public int TriedUnder { get; set; }

    /// <summary>Attempts in a row that failed by a mistake here.</summary>
    public int InternalErrors { get; set; }

    /// <summary>Attempts in a row that were not made, as this server ran short of something or could not read the content.</summary>
    public int Shortages { get; set; }

    public bool IsEmpty => Hold is null && TriedUnder == 0 && InternalErrors == 0 && Shortages == 0;
}
