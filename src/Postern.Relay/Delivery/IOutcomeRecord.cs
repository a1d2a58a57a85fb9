namespace Postern.Relay.Delivery;

/// <summary>Where the outcomes of a message are made durable while its attempt still goes on.</summary>
public interface IOutcomeRecord
{
    /// <summary>Records who has the message, so that a crash in the rest of the attempt brings nobody a second copy. Never throws.</summary>
    /// <param name="outcomes">One for each recipient of the message; what is deferred is not recorded.</param>
    ValueTask RecordAsync(IReadOnlyList<Outcome> outcomes);
}
