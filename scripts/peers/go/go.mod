module heartgrains/peer

go 1.19
