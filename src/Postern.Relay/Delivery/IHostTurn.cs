namespace Postern.Relay.Delivery;

/// <summary>A host that takes no further connection of this server for now, and the line of destinations that wait for it.</summary>
internal interface IHostTurn
{
    /// <summary>Why, for people.</summary>
    string Why { get; }

    /// <summary>
    /// Puts a destination into the line, once. It is called when it is its turn, perhaps before this returns, and answers whether it still
    /// has need of it.
    /// </summary>
    void Await(NextHop hop, Func<bool> call);
}
