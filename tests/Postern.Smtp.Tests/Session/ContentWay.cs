namespace Postern.Smtp.Tests.Session;

/// <summary>A way by which content comes in. Those of BDAT stand two behind those of DATA.</summary>
public enum ContentWay
{
    DataReject,
    DataNormalize,
    BdatReject,
    BdatNormalize,
    BdatBinary,
}
