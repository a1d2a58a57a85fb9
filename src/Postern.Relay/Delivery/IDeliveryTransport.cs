namespace Postern.Relay.Delivery;

/// <summary>A way to carry messages to a next hop.</summary>
public interface IDeliveryTransport
{
    /// <summary>A line of conversation with one next hop; connects when first needed.</summary>
    IDeliveryLane OpenLane(NextHop hop);

    /// <summary>Takes new settings; connections that are open keep the old ones until they are made anew.</summary>
    void Apply(DeliveryOptions options)
    {
    }
}
