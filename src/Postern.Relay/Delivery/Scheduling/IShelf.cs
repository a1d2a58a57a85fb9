namespace Postern.Relay.Delivery.Scheduling;

/// <summary>What has enough waiting, and has the rest wait on a shelf of the spool.</summary>
internal interface IShelf
{
    /// <summary>The name of the shelf.</summary>
    string Shelf { get; }

    /// <summary>Transactions that are worked on and wait for it.</summary>
    int Waiting { get; }

    /// <summary>What waits for it goes, sooner or later.</summary>
    bool IsProven { get; }
}
